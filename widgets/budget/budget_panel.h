// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>

#include "widgets/budget/budget_table_model.h"

class QAction;
class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QSlider;
class QSortFilterProxyModel;
class QTableView;
class QToolButton;

namespace owq {

/// Bits and weak columns of every linear, and what they amount to. A cell that is edited while several rows are selected is edited in all of
/// them. Keys in the table: + and - change the weak columns, K keeps, L locks.
class BudgetPanel : public QWidget {
    Q_OBJECT
public:
    enum class Allocation { paper, analysis, measured };
    Q_ENUM(Allocation)

    /// `undo` and `redo` become buttons.
    BudgetPanel(QAction* undo, QAction* redo, QWidget* parent = nullptr);

    BudgetTableModel& model() { return *model_; }
    QTableView& table() { return *table_; }
    BudgetSettings settings() const;
    void setSettings(const BudgetSettings& settings);
    void setTotals(const BudgetTotals& totals);
    void setForecast(const RunForecast& forecast);
    void setStateText(const QString& text);  ///< whether a run takes this plan, and what is left of the target
    void setCanAllocate(Allocation how, bool can, const QString& whyNot = {});
    void selectLayers(const QStringList& names);
    QStringList selectedLayers() const;

Q_SIGNALS:
    void settingsChanged(const owq::BudgetSettings& settings);
    void editWanted(const QStringList& names, owq::BudgetTableModel::Field field, int value);
    void allocateWanted(owq::BudgetPanel::Allocation how);
    void importWanted();
    void exportWanted();
    void layersSelected(const QStringList& names);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QWidget* makeSettings();
    QWidget* makeTotals();
    QWidget* makeButtons(QAction* undo, QAction* redo);
    void makeTable();
    void tell();
    bool tableKey(int key);
    QAction* allocation(Allocation how) const { return allocations_[int(how)]; }

    QComboBox *method_, *bits_, *group_;
    QSlider* slider_;
    QDoubleSpinBox* target_;
    QLabel *paper_, *stored_, *file_, *error_, *memory_, *time_, *state_;
    BudgetTableModel* model_;
    QSortFilterProxyModel* sorted_;
    QTableView* table_;
    QToolButton* allocate_;
    QAction* allocations_[3];
    bool quiet_ = false;  ///< while the controls are set from outside
};

}  // namespace owq
