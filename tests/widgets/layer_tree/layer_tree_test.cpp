// SPDX-License-Identifier: Apache-2.0
#include "widgets/layer_tree/layer_tree.h"

#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QClipboard>
#include <QGuiApplication>
#include <QLineEdit>
#include <QSignalSpy>
#include <QTest>
#include <QToolButton>
#include <QTreeView>
#include <utility>

#include "widgets/common/tsv.h"

namespace owq {
namespace {

std::vector<LayerRow> sampleRows() {
    std::vector<LayerRow> rows;
    for (int block = 0; block < 2; ++block)
        for (const char* kind : {"q", "o", "down"}) {
            LayerRow row;
            row.name = QStringLiteral("model.layers.%1.%2_proj").arg(block).arg(QLatin1String(kind));
            row.block = block;
            row.kind = QLatin1String(kind);
            row.rows = 256;
            row.columns = row.kind == QLatin1String("down") ? 704 : 256;
            row.dtype = QStringLiteral("F16");
            rows.push_back(row);
        }
    return rows;
}

/// The visible tree as lines: "Block 0", "  q_proj|q|256 × 256|F16||||".
QStringList print(const QAbstractItemModel& model, const QModelIndex& parent = {}, int depth = 0) {
    QStringList lines;
    for (int r = 0; r < model.rowCount(parent); ++r) {
        const QModelIndex index = model.index(r, 0, parent);
        QStringList cells;
        for (int c = 0; c < model.columnCount(parent); ++c)
            cells << index.siblingAtColumn(c).data().toString();
        while (!cells.isEmpty() && cells.last().isEmpty()) cells.removeLast();
        lines << QString(depth * 2, QLatin1Char(' ')) + cells.join(QLatin1Char('|'));
        lines << print(model, index, depth + 1);
    }
    return lines;
}

TEST(LayerTreeModel, ShowsBlocksWithTheirLinearsFromHeadersAlone) {
    LayerTreeModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.setRows(sampleRows());
    EXPECT_EQ(print(model),
              QStringList({"Block 0", "  q_proj|q|256 × 256|F16", "  o_proj|o|256 × 256|F16",
                           "  down_proj|down|256 × 704|F16", "Block 1", "  q_proj|q|256 × 256|F16",
                           "  o_proj|o|256 × 256|F16", "  down_proj|down|256 × 704|F16"}));
    EXPECT_EQ(model.kinds(), QStringList({"q", "o", "down"}));
}

TEST(LayerTreeModel, TellsWhichLinearsShareAnInput) {
    LayerTreeModel model;
    std::vector<LayerRow> rows = sampleRows();
    for (LayerRow& row : rows) row.inputGroup = row.kind == QLatin1String("down") ? QStringLiteral("mlp") : QStringLiteral("attention");
    model.setRows(rows);
    const auto tip = [&](int linear) { return model.index(linear, 0, model.index(1, 0)).data(Qt::ToolTipRole).toString().toStdString(); };
    EXPECT_NE(tip(0).find("Same input and Hessian as o_proj"), std::string::npos) << tip(0);
    EXPECT_EQ(tip(0).find("down_proj"), std::string::npos) << tip(0);
    EXPECT_EQ(tip(2).find("Same input"), std::string::npos) << tip(2);
}

TEST(LayerTreeModel, TakesNumbersByNameAndScalesTheHeatLogarithmically) {
    LayerTreeModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.setRows(sampleRows());
    QSignalSpy changed(&model, &QAbstractItemModel::dataChanged);
    std::vector<LayerRow> rows = sampleRows();
    const double values[] = {1, 10, 100};
    for (int i = 0; i < 3; ++i) {
        rows[i].sensitivity = values[i];
        rows[i].bits = 3;
        rows[i].weakColumns = 4;
        model.update(rows[i]);
    }
    EXPECT_GE(changed.count(), 3);
    const auto heat = [&](int i) {
        return model.indexOf(rows[i].name)
            .siblingAtColumn(LayerTreeModel::sensitivityColumn)
            .data(LayerTreeModel::heatRole);
    };
    EXPECT_DOUBLE_EQ(heat(0).toDouble(), 0);
    EXPECT_DOUBLE_EQ(heat(1).toDouble(), 0.5);
    EXPECT_DOUBLE_EQ(heat(2).toDouble(), 1);
    EXPECT_FALSE(heat(3).isValid());
    EXPECT_EQ(print(model).at(3), "  down_proj|down|256 × 704|F16|3|4|100");
    EXPECT_EQ(print(model).at(0), "Block 0||||||111");  // the sum, since all three are known
    LayerRow stranger;
    stranger.name = QStringLiteral("nobody");
    model.update(stranger);
    EXPECT_EQ(model.linearCount(), 6);
}

TEST(LayerFilter, LooksInEveryColumnAndKeepsBlocksOfWhatItFinds) {
    LayerTreeModel model;
    LayerFilter filter;
    QAbstractItemModelTester tester(&filter, QAbstractItemModelTester::FailureReportingMode::Fatal);
    filter.setSourceModel(&model);
    model.setRows(sampleRows());
    EXPECT_TRUE(filter.setText(QStringLiteral("704")));
    EXPECT_EQ(print(filter).size(), 4);
    EXPECT_EQ(print(filter).at(1), "  down_proj|down|256 × 704|F16");
    EXPECT_TRUE(filter.setText(QStringLiteral("Block 1")));
    EXPECT_EQ(print(filter).size(), 4);
    EXPECT_TRUE(filter.setText(QStringLiteral("layers\\.0\\..*(q|o)_"), true));
    EXPECT_EQ(print(filter).size(), 3);
    EXPECT_FALSE(filter.setText(QStringLiteral("(q|"), true));
    EXPECT_EQ(print(filter).size(), 3) << "a half-typed expression must leave the filter as it was";
    filter.setText({});
    filter.setKinds({QStringLiteral("o")});
    EXPECT_EQ(print(filter),
              QStringList({"Block 0", "  o_proj|o|256 × 256|F16", "Block 1", "  o_proj|o|256 × 256|F16"}));
}

TEST(LayerFilter, SortsByNumberWithinBlocks) {
    LayerTreeModel model;
    LayerFilter filter;
    filter.setSourceModel(&model);
    std::vector<LayerRow> rows = sampleRows();
    rows[0].error = 9, rows[1].error = 100, rows[2].error = 20;
    model.setRows(rows);
    filter.sort(LayerTreeModel::errorColumn, Qt::DescendingOrder);
    const QStringList lines = print(filter);
    const int at = int(lines.indexOf("  o_proj|o|256 × 256|F16||||100"));
    ASSERT_GE(at, 1);
    EXPECT_TRUE(lines.at(at + 1).endsWith("|20"));
    EXPECT_TRUE(lines.at(at + 2).endsWith("|9"));
}

TEST(LayerTree, FiltersAfterAPauseAndByChip) {
    LayerTree tree;
    tree.setRows(sampleRows());
    tree.show();
    QTest::keyClicks(&tree.filterBox(), QStringLiteral("down"));
    EXPECT_EQ(tree.view().model()->rowCount(tree.view().model()->index(0, 0)), 3) << "not at every key";
    EXPECT_TRUE(QTest::qWaitFor(
        [&] { return tree.view().model()->rowCount(tree.view().model()->index(0, 0)) == 1; }, 5000));
    tree.filterBox().clear();
    QTest::keyClick(&tree.filterBox(), Qt::Key_Return);  // Enter does not wait
    auto* chip = tree.findChild<QToolButton*>(QStringLiteral("chip_q"));
    ASSERT_TRUE(chip);
    QTest::mouseClick(chip, Qt::LeftButton);
    EXPECT_EQ(tree.view().model()->rowCount(tree.view().model()->index(0, 0)), 1);
}

TEST(LayerTree, SelectsSeveralAndCopiesThemWithAHeader) {
    LayerTree tree;
    tree.setRows(sampleRows());
    tree.show();
    QSignalSpy selection(&tree, &LayerTree::selectionChanged);
    tree.select({QStringLiteral("model.layers.0.q_proj"), QStringLiteral("model.layers.1.down_proj")});
    EXPECT_EQ(tree.selectedLayers(), QStringList({"model.layers.0.q_proj", "model.layers.1.down_proj"}));
    EXPECT_EQ(selection.last().first().toStringList().size(), 2);
    tree.activateWindow();
    ASSERT_TRUE(QTest::qWaitForWindowActive(&tree));
    tree.view().setFocus();
    QTest::keyClick(&tree.view(), Qt::Key_C, Qt::ControlModifier);
    EXPECT_EQ(selectionAsTsv(tree.view()),
              "Layer\tShape\tBits\tWeak\tSensitivity\tError\tKind\tType\n"
              "model.layers.0.q_proj\t256 × 256\t\t\t\t\tq\tF16\n"
              "model.layers.1.down_proj\t256 × 704\t\t\t\t\tdown\tF16\n");
    EXPECT_EQ(QGuiApplication::clipboard()->text(), selectionAsTsv(tree.view()));
}

TEST(LayerTree, ALayerThatTheFilterHidesIsSelectedNonetheless) {
    LayerTree tree;
    tree.setRows(sampleRows());
    tree.show();
    const QString query = QStringLiteral("model.layers.0.q_proj"), down = QStringLiteral("model.layers.1.down_proj");
    auto* chip = tree.findChild<QToolButton*>(QStringLiteral("chip_q"));
    QTest::mouseClick(chip, Qt::LeftButton);
    tree.select({query});
    EXPECT_TRUE(chip->isChecked()) << "it hides nothing of that";
    QSignalSpy selection(&tree, &LayerTree::selectionChanged);
    tree.select({down});
    EXPECT_EQ(tree.selectedLayers(), QStringList(down));
    for (const QList<QVariant>& told : selection) EXPECT_FALSE(told.first().toStringList().isEmpty());
    EXPECT_FALSE(chip->isChecked());
    QTest::keyClicks(&tree.filterBox(), QStringLiteral("down"));
    QTest::keyClick(&tree.filterBox(), Qt::Key_Return);
    tree.select({query, down});
    EXPECT_EQ(tree.selectedLayers(), QStringList({query, down}));
    EXPECT_TRUE(tree.filterBox().text().isEmpty());
    tree.select({QStringLiteral("nobody")});
    EXPECT_TRUE(tree.selectedLayers().isEmpty());
}

TEST(LayerTree, ABlockStandsForItsLinears) {
    LayerTree tree;
    tree.setRows(sampleRows());
    tree.view().selectionModel()->select(tree.view().model()->index(1, 0),
                                         QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    EXPECT_EQ(tree.selectedLayers(),
              QStringList({"model.layers.1.q_proj", "model.layers.1.o_proj", "model.layers.1.down_proj"}));
}

std::string described(const LayerLook& look) {
    QStringList parts{look.filter, look.regex ? QStringLiteral("regex") : QString(), look.kinds.join(QLatin1Char(',')), look.sortedBy, look.descending ? QStringLiteral("descending") : QString()};
    for (const int block : look.expanded.value_or(QList<int>())) parts << QString::number(block);
    for (const auto& [name, width] : look.columns) parts << QStringLiteral("%1=%2").arg(name).arg(width);
    return parts.join(QLatin1Char('|')).toStdString();
}

TEST(LayerTree, ALookComesBackAndWhatIsUnknownIsLeftOut) {
    LayerTree tree;
    tree.setRows(sampleRows());
    const LayerLook usual = tree.look();
    EXPECT_EQ(usual.sortedBy, "name");
    LayerLook look = usual;
    look.filter = QStringLiteral("layers");
    look.kinds = {QStringLiteral("o"), QStringLiteral("down")};
    look.sortedBy = QStringLiteral("shape");
    look.descending = true;
    look.expanded = {1};
    std::swap(look.columns[0], look.columns[2]);
    look.columns[1].second = 55;
    tree.setLook(look);
    EXPECT_EQ(described(tree.look()), described(look));
    EXPECT_EQ(print(*tree.view().model()).filter(QStringLiteral("q_proj")).size(), 0);
    LayerLook odd = look;
    odd.kinds << QStringLiteral("fc9");
    odd.sortedBy = QStringLiteral("price");
    odd.columns.prepend({QStringLiteral("price"), 9});
    odd.columns.removeLast();
    *odd.expanded << 99;
    tree.setLook(odd);
    EXPECT_EQ(tree.look().kinds, look.kinds);
    EXPECT_EQ(tree.look().sortedBy, look.sortedBy);
    EXPECT_EQ(*tree.look().expanded, *look.expanded);
    tree.setLook(usual);
    EXPECT_EQ(described(tree.look()), described(usual));
}

TEST(LayerTree, AnOrderForAComparisonWaitsForIt) {
    LayerTree tree;
    tree.setRows(sampleRows());
    LayerLook look = tree.look();
    look.sortedBy = QStringLiteral("error_b");
    tree.setLook(look, true);
    EXPECT_EQ(tree.look().sortedBy, "name");
    tree.setComparing(true);
    EXPECT_EQ(tree.look().sortedBy, "error_b");
    tree.setComparing(false);
    EXPECT_EQ(tree.look().sortedBy, "name");
    tree.setComparing(true);
    EXPECT_EQ(tree.look().sortedBy, "ratio") << "the next one is an own";
    EXPECT_TRUE(tree.look().descending);
}

}  // namespace
}  // namespace owq
