// SPDX-License-Identifier: Apache-2.0
#include "widgets/compare/compare_panel.h"

#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QPushButton>
#include <QSignalSpy>
#include <QTableView>
#include <QTest>

namespace owq {
namespace {

CompareRow rowOf(const char* name, double a, double b) {
    CompareRow row;
    row.name = QLatin1String(name);
    row.bitsA = row.bitsB = 3;
    row.weakA = 4, row.weakB = 6, row.sharedWeak = 3;
    row.errorA = a, row.errorB = b;
    return row;
}

struct ComparePanelTest : testing::Test {
    ComparePanelTest() : tester(&panel.model(), QAbstractItemModelTester::FailureReportingMode::Fatal) {
        CompareRow kept = rowOf("m.layers.2.q_proj", 1, CompareRow::kUnknown);
        kept.bitsB = 16;
        panel.model().setRows({kept, rowOf("m.layers.0.q_proj", 1, 4), rowOf("m.layers.1.q_proj", 2, 1)});
        panel.setRuns(QStringLiteral("one"), QStringLiteral("two"));
        panel.resize(800, 300);
        panel.show();
    }
    QString cell(int row, int column) { return panel.table().model()->index(row, column).data().toString(); }
    ComparePanel panel;
    QAbstractItemModelTester tester;
};

TEST_F(ComparePanelTest, KeepsTheOrderOfDifferenceAndSortsBySize) {
    EXPECT_EQ(cell(0, CompareModel::nameColumn), "2 q_proj") << "as given";
    EXPECT_EQ(cell(0, CompareModel::bitsBColumn), "kept");
    EXPECT_EQ(cell(0, CompareModel::ratioColumn), "");
    EXPECT_EQ(cell(1, CompareModel::ratioColumn), QStringLiteral("×4"));
    panel.table().sortByColumn(CompareModel::ratioColumn, Qt::DescendingOrder);
    EXPECT_EQ(cell(0, CompareModel::nameColumn), "0 q_proj") << "four times";
    EXPECT_EQ(cell(1, CompareModel::nameColumn), "1 q_proj") << "half is as far as double";
    EXPECT_DOUBLE_EQ(panel.model().index(1, CompareModel::ratioColumn).data(CompareModel::heatRole).toDouble(), 1);
    EXPECT_DOUBLE_EQ(panel.model().index(2, CompareModel::ratioColumn).data(CompareModel::heatRole).toDouble(), 0.5);
}

TEST_F(ComparePanelTest, ARowSelectsItsLayerAndTheButtonEnds) {
    QSignalSpy selected(&panel, &ComparePanel::layersSelected), ended(&panel, &ComparePanel::endWanted);
    QTest::mouseClick(panel.table().viewport(), Qt::LeftButton, {}, panel.table().visualRect(panel.table().model()->index(1, 0)).center());
    ASSERT_EQ(selected.size(), 1);
    EXPECT_EQ(selected.last()[0].toStringList(), QStringList({"m.layers.0.q_proj"}));
    QTest::mouseClick(panel.findChild<QPushButton*>(QStringLiteral("endComparison")), Qt::LeftButton);
    EXPECT_EQ(ended.size(), 1);
}

}  // namespace
}  // namespace owq
