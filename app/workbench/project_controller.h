// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QObject>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "app/workbench/budget_controller.h"
#include "app/workbench/comparison_controller.h"
#include "app/workbench/opener.h"
#include "app/workbench/project.h"
#include "app/workbench/results_controller.h"
#include "app/workbench/run_controller.h"

class QTableView;
class QTimer;

namespace owq {

class BudgetPanel;
class ComparePanel;
class LayerTree;
class PlotArea;
class TryPanel;
class TunePanel;
class WindowLayout;

/// Everything that a project keeps, where it is shown.
struct ProjectParts {
    JobRunner& runner;
    Workspace& workspace;
    Opener& opener;
    RunController& run;
    RunPanel& runPanel;
    BudgetController& budget;
    ResultsController& results;
    ResultsView& resultsView;
    ComparisonController& comparison;
    LayerTree& tree;
    PlotArea& plots;
    BudgetPanel& budgetPanel;
    ComparePanel& comparePanel;
    TryPanel& tryPanel;
    TunePanel& tunePanel;
    WindowLayout& layout;
};

/// Saves what is open as a project file, and brings it back.
class ProjectController : public QObject {
    Q_OBJECT
public:
    explicit ProjectController(const ProjectParts& parts, QObject* parent = nullptr);

    static bool isProject(const QString& path) { return path.endsWith(QLatin1String(kProjectSuffix)); }
    void open(const QString& file);
    void save(const QString& file, std::function<void()> then = {});  ///< `then` when it is written
    const QString& file() const { return file_; }  ///< empty: what is open was not saved
    /// Whether work would be lost: settings, budget, results, analysis that the project's file has not, or, without a project, an edited budget
    /// that is in no budget file. What was only looked at (selection, ranges, layout) or typed (prompt, settings
    /// of a tuning) is none.
    bool isModified() const;

Q_SIGNALS:
    void fileChanged(const QString& file);
    void modifiedChanged(bool modified);
    void notice(const owq::Failure& notice);
    void failed(const owq::Failure& failure);

private:
    /// Of what a project keeps, what a person works on. Results are told by their signals: rows that are read back come by themselves.
    struct Work {
        RunSettings settings;
        MeasureSettings measure;
        QString analysis;
        Json plan;  ///< null: the settings' own
        bool operator==(const Work&) const = default;
    };
    Work work() const;
    void watch();
    Project capture() const;
    ProjectLook look() const;
    std::map<std::string, QTableView*> tables() const;
    void restore(const Project& project);
    void restoreLook(const Project& project);

    ProjectParts parts_;
    QString file_;
    std::optional<Project> opening_;  ///< whose model is being opened
    QString openingFile_;
    QStringList changed_;             ///< inputs that are not as they were saved
    Work saved_;
    bool newResults_ = false;         ///< since it was saved
    bool modified_ = false;           ///< as last told
    QTimer* look_;
};

}  // namespace owq
