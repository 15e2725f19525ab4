// SPDX-License-Identifier: Apache-2.0
#include "widgets/budget/budget_panel.h"

#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QAction>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHeaderView>
#include <QLabel>
#include <QMenu>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTableView>
#include <QTest>
#include <QToolButton>

namespace owq {
namespace {

using Field = BudgetTableModel::Field;

BudgetRow rowOf(const char* name, int bits = 3, int weak = 4) {
    BudgetRow row;
    row.name = QLatin1String(name);
    row.bits = bits;
    row.weakColumns = weak;
    row.mostWeakColumns = 255;
    row.effectiveBits = 3.25;
    return row;
}

/// As text: the rows as they are shown.
QStringList lines(const QAbstractItemModel& model) {
    QStringList out;
    for (int r = 0; r < model.rowCount(); ++r) {
        QStringList cells;
        for (int c = 0; c < model.columnCount(); ++c)
            cells << (c == BudgetTableModel::lockedColumn ? model.index(r, c).data(Qt::AccessibleTextRole).toString()
                                                          : model.index(r, c).data().toString());
        out << cells.join(QLatin1Char('|'));
    }
    return out;
}

struct BudgetPanelTest : testing::Test {
    BudgetPanelTest() : undo(QStringLiteral("Undo"), nullptr), redo(QStringLiteral("Redo"), nullptr), panel(&undo, &redo) {
        tester = std::make_unique<QAbstractItemModelTester>(&panel.model(), QAbstractItemModelTester::FailureReportingMode::Fatal);
        panel.model().setRows({rowOf("m.layers.0.q_proj"), rowOf("m.layers.0.k_proj"), rowOf("m.layers.1.q_proj", 16, 0)});
        panel.resize(520, 640);
        panel.show();
        EXPECT_TRUE(QTest::qWaitForWindowExposed(&panel));
        edits = std::make_unique<QSignalSpy>(&panel, &BudgetPanel::editWanted);
    }
    QModelIndex at(int row, int column) const { return panel.table().model()->index(row, column); }
    void click(int row, int column, Qt::KeyboardModifiers keys = {}) {
        QTest::mouseClick(panel.table().viewport(), Qt::LeftButton, keys, panel.table().visualRect(at(row, column)).center());
    }
    QStringList names(int edit = -1) const { return (edit < 0 ? edits->last() : (*edits)[edit])[0].toStringList(); }

    QAction undo, redo;
    mutable BudgetPanel panel;
    std::unique_ptr<QAbstractItemModelTester> tester;
    std::unique_ptr<QSignalSpy> edits;
};

TEST_F(BudgetPanelTest, ShowsEachLinearAsARow) {
    BudgetRow changed = rowOf("m.layers.0.k_proj", 4, 10);
    changed.locked = true;
    changed.predictedError = 0.5;
    panel.model().update({changed, rowOf("unknown")});
    EXPECT_EQ(lines(panel.model()), QStringList({"0 q_proj|3|4|not locked|3.250|", "0 k_proj|4|10|locked|3.250|0.5",
                                                 "1 q_proj|keep||not locked|3.250|"}));
}

TEST_F(BudgetPanelTest, ATypedNumberOfWeakColumnsIsAWish) {
    click(0, BudgetTableModel::weakColumn);
    QTest::keyClick(panel.table().viewport(), Qt::Key_F2);
    auto* box = panel.table().findChild<QSpinBox*>();
    ASSERT_TRUE(box);
    EXPECT_EQ(box->maximum(), 255);
    EXPECT_FALSE(box->accessibleName().isEmpty());
    box->selectAll();
    QTest::keyClicks(box, QStringLiteral("12"));
    QTest::keyClick(box, Qt::Key_Return);
    ASSERT_TRUE(QTest::qWaitFor([&] { return edits->size() == 1; }));  // an editor is closed by a queued call
    EXPECT_EQ(names(), QStringList({"m.layers.0.q_proj"}));
    EXPECT_EQ(edits->last()[1].value<Field>(), Field::weakColumns);
    EXPECT_EQ(edits->last()[2].toInt(), 12);
    EXPECT_EQ(panel.model().rows()[0].weakColumns, 4) << "whoever holds the budget answers";
}

TEST_F(BudgetPanelTest, AnEditGoesToAllSelectedRows) {
    click(0, BudgetTableModel::nameColumn);
    click(1, BudgetTableModel::nameColumn, Qt::ControlModifier);
    panel.table().model()->setData(at(1, BudgetTableModel::bitsColumn), 4);
    EXPECT_EQ(names(), QStringList({"m.layers.0.q_proj", "m.layers.0.k_proj"}));
    EXPECT_EQ(edits->last()[1].value<Field>(), Field::bits);
    panel.table().model()->setData(at(2, BudgetTableModel::bitsColumn), 4);
    EXPECT_EQ(names(), QStringList({"m.layers.1.q_proj"})) << "another row stands for itself";
    EXPECT_FALSE(panel.table().model()->setData(at(0, BudgetTableModel::bitsColumn), 5)) << "no such codes";
}

TEST_F(BudgetPanelTest, KeysChangeKeepAndLock) {
    click(0, BudgetTableModel::nameColumn);
    const auto press = [&](Qt::Key key) { QTest::keyClick(&panel.table(), key); };
    press(Qt::Key_Plus);
    EXPECT_EQ(edits->last()[2].toInt(), 6);
    press(Qt::Key_Minus);
    EXPECT_EQ(edits->last()[2].toInt(), 2);
    press(Qt::Key_K);
    EXPECT_EQ(edits->last()[1].value<Field>(), Field::bits);
    EXPECT_EQ(edits->last()[2].toInt(), BudgetRow::kKept);
    press(Qt::Key_L);
    EXPECT_EQ(edits->last()[1].value<Field>(), Field::locked);
    EXPECT_TRUE(edits->last()[2].toBool());
    const auto before = edits->size();
    click(2, BudgetTableModel::nameColumn);
    press(Qt::Key_Plus);
    EXPECT_EQ(edits->size(), before) << "a kept linear has no weak columns";
}

TEST_F(BudgetPanelTest, SettingsAreToldWhenAPersonChangesThemOnly) {
    QSignalSpy told(&panel, &BudgetPanel::settingsChanged);
    panel.setSettings({QStringLiteral("owq"), 4, 4.05, 128});
    EXPECT_EQ(told.size(), 0);
    EXPECT_EQ(panel.settings(), (BudgetSettings{QStringLiteral("owq"), 4, 4.05, 128}));
    auto* target = panel.findChild<QDoubleSpinBox*>(QStringLiteral("budgetTarget"));
    QTest::keyClick(target, Qt::Key_Up);
    ASSERT_EQ(told.size(), 1);
    EXPECT_DOUBLE_EQ(panel.settings().targetBits, 4.06);
    auto* method = panel.findChild<QComboBox*>(QStringLiteral("budgetMethod"));
    QTest::keyClick(method, Qt::Key_Down);
    EXPECT_EQ(panel.settings().method, "optq");
    EXPECT_EQ(told.size(), 2);
    panel.setSettings(panel.settings());
    EXPECT_FALSE(target->isEnabled()) << "only owq aims at a target";
}

TEST_F(BudgetPanelTest, TotalsAreReadableAndUnknownIsNotZero) {
    const auto text = [&](const char* name) { return panel.findChild<QLabel*>(QLatin1String(name))->text(); };
    EXPECT_EQ(text("paperBits"), QStringLiteral("–"));
    BudgetTotals totals;
    totals.paperBits = 3.0871;
    totals.storedBits = 3.2;
    totals.fileBytes = 9.4e6;
    panel.setTotals(totals);
    EXPECT_EQ(text("paperBits"), "3.087");
    EXPECT_EQ(text("storedBits"), "3.200");
    EXPECT_EQ(text("fileBytes"), "9.40 MB");
}

TEST_F(BudgetPanelTest, SelectionGoesBothWaysWithoutEcho) {
    QSignalSpy told(&panel, &BudgetPanel::layersSelected);
    panel.selectLayers({QStringLiteral("m.layers.0.k_proj"), QStringLiteral("m.layers.1.q_proj")});
    EXPECT_EQ(told.size(), 0);
    EXPECT_EQ(panel.selectedLayers(), QStringList({"m.layers.0.k_proj", "m.layers.1.q_proj"}));
    click(0, BudgetTableModel::nameColumn);
    ASSERT_EQ(told.size(), 1);
    EXPECT_EQ(told.last()[0].toStringList(), QStringList({"m.layers.0.q_proj"}));
}

TEST_F(BudgetPanelTest, AllocateOffersOtherWaysAndSaysWhyNot) {
    QSignalSpy wanted(&panel, &BudgetPanel::allocateWanted);
    QTest::mouseClick(panel.findChild<QToolButton*>(QStringLiteral("allocate")), Qt::LeftButton, {}, QPoint(8, 12));
    ASSERT_EQ(wanted.size(), 1);
    EXPECT_EQ(wanted.last()[0].value<BudgetPanel::Allocation>(), BudgetPanel::Allocation::paper);
    panel.setCanAllocate(BudgetPanel::Allocation::analysis, false, QStringLiteral("Analyze first"));
    EXPECT_EQ(panel.findChild<QToolButton*>(QStringLiteral("allocate"))->menu()->actions()[1]->toolTip(), "Analyze first");
}

}  // namespace
}  // namespace owq
