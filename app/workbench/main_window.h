// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QMainWindow>
#include <QUndoStack>
#include <QUrl>
#include <vector>

#include "app/workbench/actions.h"
#include "app/workbench/job_functions.h"
#include "app/workbench/job_runner.h"
#include "app/workbench/workspace.h"
#include "widgets/jobs/message_bar.h"

class QLabel;
class QProgressBar;
class QStackedWidget;

namespace owq {

class JobsView;
class BudgetController;
class BudgetPanel;
class ComparePanel;
class ComparisonController;
class FileController;
struct FigureOptions;
class HelpController;
class LayerController;
class LayerTree;
class LessonController;
class Opener;
class PlotArea;
class ProjectController;
class ResultsController;
class ResultsView;
class RunController;
class RunPanel;
class StartPage;
class Theme;
class TourController;
class TryController;
class TryPanel;
class TuneController;
class TunePanel;
class WindowLayout;

/// Puts the panels together and connects them with the controllers; computes nothing, reads nothing.
class MainWindow : public QMainWindow {
    Q_OBJECT
public:
    MainWindow(JobFunctions jobs, Theme* theme, QWidget* parent = nullptr);
    ~MainWindow() override;

    void open(const QString& path);
    void openSample();

    Workspace& workspace() { return workspace_; }
    JobRunner& runner() { return *runner_; }
    BudgetController& budget() { return *budget_; }
    ProjectController& projects() { return *projects_; }

protected:
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dragLeaveEvent(QDragLeaveEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    void makeDocks();
    void connectActions();
    void connectControllers();
    void showWork(bool work);
    void updateComparing();
    QList<QAction*> commands() const;  ///< what the palette offers
    void showFailure(const Failure& failure);
    void showWarnings(const QStringList& warnings);
    void offerResume(const RunSummary& run);
    void showFigures(std::vector<FigureOptions> figures);
    void updateJob(const JobRow& row);
    void openLesson();
    void startTour();

    JobFunctions jobs_;
    Theme* theme_;
    Workspace workspace_;
    JobRunner* runner_;
    QUndoStack undo_;
    Actions actions_;
    WindowLayout* layout_;
    QStackedWidget* pages_;
    StartPage* start_;
    MessageBar* bar_;
    LayerTree* tree_;
    RunPanel* panel_;
    BudgetPanel* budgetPanel_;
    ResultsView* resultsView_;
    JobsView* jobsView_;
    ComparePanel* comparePanel_;
    TryPanel* tryPanel_;
    TunePanel* tunePanel_;
    PlotArea* plots_;
    QLabel* status_;
    QProgressBar* progress_;
    Opener* opener_;
    BudgetController* budget_;
    RunController* runController_;
    ResultsController* results_;
    ComparisonController* comparison_;
    TryController* tryController_;
    TuneController* tuneController_;
    HelpController* help_;
    LessonController* lesson_;
    TourController* tour_;
    ProjectController* projects_;
    FileController* files_;
    QList<QUrl> dragged_;  ///< what hovers over the window
};

}  // namespace owq
