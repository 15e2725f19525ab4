// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QMainWindow>
#include <QUrl>

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
class LayerController;
class LayerTree;
class Opener;
class PlotArea;
class ResultsController;
class ResultsView;
class RunController;
class RunPanel;
class StartPage;
class Theme;
class TryController;
class TryPanel;

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

protected:
    void closeEvent(QCloseEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dragLeaveEvent(QDragLeaveEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    QDockWidget* addDock(const char* name, const QString& title, const char* icon, QWidget* content,
                         Qt::DockWidgetArea area, const QString& shortcut);
    void makeDocks();
    void defaultLayout();
    void connectActions();
    void connectControllers();
    void showWork(bool work);
    void rebuildRecent();
    void chooseFolder();
    void chooseFile();
    void showFailure(const Failure& failure);
    void offerResume(const RunSummary& run);
    void showShortcuts();
    void showAbout();
    void updateJob(const JobRow& row);
    void restoreLayout();
    void saveLayout();

    JobFunctions jobs_;
    Theme* theme_;
    Workspace workspace_;
    JobRunner* runner_;
    Actions actions_;
    QStackedWidget* pages_;
    StartPage* start_;
    MessageBar* bar_;
    LayerTree* tree_;
    RunPanel* panel_;
    ResultsView* resultsView_;
    JobsView* jobsView_;
    TryPanel* tryPanel_;
    PlotArea* plots_;
    QLabel* status_;
    QProgressBar* progress_;
    QList<QDockWidget*> docks_;
    Opener* opener_;
    RunController* runController_;
    ResultsController* results_;
    TryController* tryController_;
    bool working_ = false;
    QList<QUrl> dragged_;  ///< what hovers over the window
};

}  // namespace owq
