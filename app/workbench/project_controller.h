// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QObject>
#include <optional>

#include "app/workbench/budget_controller.h"
#include "app/workbench/comparison_controller.h"
#include "app/workbench/opener.h"
#include "app/workbench/project.h"
#include "app/workbench/results_controller.h"
#include "app/workbench/run_controller.h"

namespace owq {

class LayerTree;
class PlotArea;
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
    WindowLayout& layout;
};

/// Saves what is open as a project file, and brings it back.
class ProjectController : public QObject {
    Q_OBJECT
public:
    explicit ProjectController(const ProjectParts& parts, QObject* parent = nullptr);

    static bool isProject(const QString& path) { return path.endsWith(QLatin1String(kProjectSuffix)); }
    void open(const QString& file);
    void save(const QString& file);
    const QString& file() const { return file_; }  ///< empty: what is open was not saved

Q_SIGNALS:
    void fileChanged(const QString& file);
    void notice(const owq::Failure& notice);
    void failed(const owq::Failure& failure);

private:
    Project capture() const;
    void restore(const Project& project);

    ProjectParts parts_;
    QString file_;
    std::optional<Project> opening_;  ///< whose model is being opened
    QString openingFile_;
    QStringList changed_;             ///< inputs that are not as they were saved
};

}  // namespace owq
