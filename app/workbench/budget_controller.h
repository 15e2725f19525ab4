// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QElapsedTimer>
#include <QObject>
#include <QStringList>
#include <deque>

#include "app/workbench/budget_draft.h"
#include "app/workbench/job_functions.h"
#include "app/workbench/job_runner.h"
#include "app/workbench/workspace.h"
#include "widgets/budget/budget_panel.h"
#include "widgets/run_panel/run_panel.h"

class QTimer;
class QUndoStack;

namespace owq {

/// Holds the budget between the panels, the plots and the run: every edit is a step that can be undone.
class BudgetController : public QObject {
    Q_OBJECT
public:
    BudgetController(JobRunner& runner, const JobFunctions& jobs, Workspace& workspace, RunPanel& run, BudgetPanel& panel,
                     QUndoStack& undo, QObject* parent = nullptr);

    const BudgetDraft& draft() const { return draft_; }
    /// The plan that a run is to be given; none while it is the settings' own.
    std::optional<BudgetPlan> editedPlan() const;
    bool isInFile() const;  ///< the plan was written to a budget file, or read from one, as it is

    /// From a plot: live while the mouse moves, one step of undo for the whole drag.
    void moveCut(const QString& layer, int weakColumns, bool finished);
    void edit(const QStringList& names, BudgetTableModel::Field field, int value);
    void allocate(BudgetPanel::Allocation how);
    bool readFile(const QString& path);   ///< budget JSON; false after failed()
    bool writeFile(const QString& path);
    /// A state kept by a project. Not undoable.
    void restore(const BudgetDraft::State& state);

Q_SIGNALS:
    void changed();
    void filed();  ///< a budget file has the plan now
    void cutMovableChanged(bool movable);
    void failed(const owq::Failure& failure);

private:
    friend class BudgetStep;
    void open();
    void takeSettings(const BudgetSettings& settings);
    /// A step with the same `merge` shortly after joins the last one.
    void push(BudgetDraft::State next, const QString& text, const QString& merge = {});
    void apply(const BudgetDraft::State& state);  ///< by a step
    void show(const QStringList& layers);
    void showTotals();
    void learnSoon();
    void learnSome();
    BudgetRow row(size_t i) const;
    QHash<QString, PlannedLinear> plan() const;
    void allocateMeasured();
    void noteFile();
    void chooseImport();
    void chooseExport();

    JobRunner& runner_;
    const JobFunctions& jobs_;
    Workspace& workspace_;
    RunPanel& run_;
    BudgetPanel& panel_;
    QUndoStack& undo_;
    BudgetDraft draft_;
    std::deque<std::string> unlearnt_;
    QTimer* learn_;
    Json inFile_;            ///< the plan that a budget file has
    QElapsedTimer lastStep_;
    int drag_ = 0;          ///< number of the drag that is going on, for merging
    int pauses_ = 0;
    bool opening_ = false;
    bool applying_ = false;  ///< the panels answer to what is set
};

}  // namespace owq
