// SPDX-License-Identifier: Apache-2.0
#include "widgets/plot/plot.h"

#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QApplication>
#include <QClipboard>
#include <QFile>
#include <QLabel>
#include <QSignalSpy>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QThreadPool>
#include <algorithm>
#include <cmath>

#include "tests/widgets/curves.h"
#include "widgets/column_range/column_range_plot.h"
#include "widgets/cumulative_error/cumulative_error_plot.h"
#include "widgets/hessian/hessian_plot.h"
#include "widgets/plot/plot_group.h"
#include "widgets/sensitivity/sensitivity_plot.h"

namespace owq {
namespace {

class PlotTest : public ::testing::Test {
protected:
    void show(QWidget& widget, int width = 600, int height = 360) {
        widget.resize(width, height);
        widget.show();
        ASSERT_TRUE(QTest::qWaitForWindowExposed(&widget));
        QApplication::processEvents();
    }
    void drag(Plot& plot, QPointF from, QPointF to) {
        QTest::mousePress(plot.canvas(), Qt::LeftButton, {}, from.toPoint());
        QTest::mouseMove(plot.canvas(), ((from + to) / 2).toPoint());
        QTest::mouseMove(plot.canvas(), to.toPoint());
        QTest::mouseRelease(plot.canvas(), Qt::LeftButton, {}, to.toPoint());
        QApplication::processEvents();
    }
    // What comes to the clipboard after `action`.
    template <typename Action>
    QString copied(Action action) {
        QApplication::clipboard()->clear();
        action();
        EXPECT_TRUE(QTest::qWaitFor([] { return !QApplication::clipboard()->text().isEmpty(); }, 60'000));
        return QApplication::clipboard()->text();
    }
};

TEST_F(PlotTest, HomeShowsEveryColumnAndValue) {
    HessianPlot plot;
    plot.setCurves({testing::sixColumns()});
    show(plot);
    EXPECT_LT(plot.view().xLower, 0);
    EXPECT_GT(plot.view().xUpper, 5);
    EXPECT_GT(plot.view().yLower, 0);
    EXPECT_LE(plot.view().yLower, 1);
    EXPECT_GT(plot.view().yUpper, 1000);
}

TEST_F(PlotTest, RectangleZoomsBackspaceGoesBackHomeShowsAll) {
    HessianPlot plot;
    plot.setCurves({testing::manyColumns(1000, QStringLiteral("q_proj"))});
    show(plot);
    const PlotView all = plot.view();
    drag(plot, plot.pixelOf(200, 500), plot.pixelOf(600, 2));
    const PlotView once = plot.view();
    EXPECT_NEAR(once.xLower, 200, 3);
    EXPECT_NEAR(once.xUpper, 600, 3);
    EXPECT_LT(once.yUpper, all.yUpper);
    drag(plot, plot.pixelOf(300, once.yUpper * 0.8), plot.pixelOf(400, once.yLower * 1.2));
    EXPECT_NEAR(plot.view().xLower, 300, 3);
    QTest::keyClick(&plot, Qt::Key_Backspace);
    EXPECT_EQ(plot.view(), once);
    QTest::keyClick(&plot, Qt::Key_Home);
    EXPECT_EQ(plot.view(), all);
    QTest::keyClick(&plot, Qt::Key_Backspace);
    EXPECT_EQ(plot.view(), once) << "Home is a step one can go back from";
    QTest::keyClick(&plot, Qt::Key_Backspace);
    QTest::keyClick(&plot, Qt::Key_Backspace);
    EXPECT_EQ(plot.view(), all);
}

TEST_F(PlotTest, FlatDragZoomsXOnly) {
    HessianPlot plot;
    plot.setCurves({testing::manyColumns(1000, QStringLiteral("q_proj"))});
    show(plot);
    const PlotView all = plot.view();
    drag(plot, plot.pixelOf(200, 10), plot.pixelOf(600, 10));
    EXPECT_NEAR(plot.view().xLower, 200, 3);
    EXPECT_EQ(plot.view().yLower, all.yLower);
    EXPECT_EQ(plot.view().yUpper, all.yUpper);
}

TEST_F(PlotTest, WheelZoomsAroundThePointerAndIsOneStepOfHistory) {
    HessianPlot plot;
    plot.setCurves({testing::manyColumns(1000, QStringLiteral("q_proj"))});
    show(plot);
    const PlotView all = plot.view();
    const QPointF at = plot.pixelOf(500, 10);
    for (int i = 0; i < 3; ++i) {
        QWheelEvent event(at, plot.canvas()->mapToGlobal(at), {}, {0, 120}, Qt::NoButton, Qt::NoModifier, Qt::NoScrollPhase, false);
        QApplication::sendEvent(plot.canvas(), &event);
    }
    EXPECT_NEAR(plot.view().xUpper - plot.view().xLower, (all.xUpper - all.xLower) * 0.8 * 0.8 * 0.8, 1);
    EXPECT_NEAR((plot.view().xUpper + plot.view().xLower) / 2, 500, 5);
    plot.zoomBack();
    EXPECT_EQ(plot.view(), all);
}

TEST_F(PlotTest, ZoomNeverLeavesTheDataNorGoesBelowFourColumns) {
    HessianPlot plot;
    plot.setCurves({testing::manyColumns(1000, QStringLiteral("q_proj"))});
    show(plot);
    const PlotView all = plot.view();
    for (int i = 0; i < 60; ++i) QTest::keyClick(&plot, Qt::Key_Plus);
    EXPECT_NEAR(plot.view().xUpper - plot.view().xLower, 4, 1e-6);
    for (int i = 0; i < 90; ++i) QTest::keyClick(&plot, Qt::Key_Minus);
    EXPECT_EQ(plot.view(), all);
}

TEST_F(PlotTest, ClickSelectsTheColumnUnderThePointer) {
    HessianPlot plot;
    plot.setCurves({testing::sixColumns()});
    show(plot);
    QSignalSpy selected(&plot, &Plot::columnSelected);
    QTest::mouseClick(plot.canvas(), Qt::LeftButton, {}, plot.pixelOf(3, 4).toPoint());
    ASSERT_EQ(selected.size(), 1);
    EXPECT_EQ(selected[0][0].toString(), QStringLiteral("model.layers.0.self_attn.q_proj"));
    EXPECT_EQ(selected[0][1].toInt(), 3);
    EXPECT_EQ(plot.selectedColumn(), 3);
}

TEST_F(PlotTest, ArrowsMoveTheCrosshairAndEnterSelects) {
    HessianPlot plot;
    plot.setCurves({testing::sixColumns()});
    show(plot);
    plot.setCrosshair(1);
    QTest::keyClick(&plot, Qt::Key_Right);
    QTest::keyClick(&plot, Qt::Key_Right);
    EXPECT_EQ(plot.crosshair(), 3);
    EXPECT_EQ(plot.readout(), QStringLiteral("column 3: 4"));
    QTest::keyClick(&plot, Qt::Key_Return);
    EXPECT_EQ(plot.selectedColumn(), 3);
    QTest::keyClick(&plot, Qt::Key_P);
    QTest::keyClick(&plot, Qt::Key_Right);
    EXPECT_EQ(plot.readout(), QStringLiteral("column 4: 1000 (×250) weak"));
    QTest::keyClick(&plot, Qt::Key_Escape);
    EXPECT_EQ(plot.crosshair(), -1);
}

TEST_F(PlotTest, ByRankTheReadOutNamesTheColumn) {
    SensitivityPlot plot;
    plot.setCurves({testing::sixColumns()});
    plot.setXMode(XMode::Rank);
    show(plot);
    plot.setCrosshair(5);
    EXPECT_EQ(plot.readout(), QStringLiteral("column 4: 1000 weak"));
}

TEST_F(PlotTest, CtrlCCopiesTheVisibleRows) {
    SensitivityPlot plot;
    plot.setCurves({testing::sixColumns(QStringLiteral("fc1"))});
    show(plot);
    plot.zoomTo({1, 4.5, 1, 1000});
    plot.setFocus();
    const QString text = copied([&] { QTest::keyClick(&plot, Qt::Key_C, Qt::ControlModifier); });
    EXPECT_EQ(text, plot.visibleText(TableFormat::Tsv)());
    EXPECT_TRUE(text.startsWith(QStringLiteral("linear\tcolumn\tposition\tsensitivity\tweak\nfc1\t1\t1\t20\t1\n"))) << qPrintable(text);
    EXPECT_FALSE(text.contains(QStringLiteral("fc1\t5")));
}

TEST_F(PlotTest, TableTwinHasThePlotsNumbers) {
    CumulativeErrorPlot plot;
    plot.setCurves({testing::sixColumns()});
    QAbstractItemModelTester tester(plot.tableModel(), QAbstractItemModelTester::FailureReportingMode::Fatal);
    ASSERT_EQ(plot.tableModel()->rowCount(), 6);
    ASSERT_EQ(plot.tableModel()->columnCount(), 6);
    const auto cell = [&](int row, int column) { return plot.tableModel()->index(row, column).data().toString(); };
    EXPECT_EQ(cell(5, 1), QStringLiteral("4"));
    EXPECT_EQ(cell(5, 3), QStringLiteral("517"));
    EXPECT_EQ(cell(5, 5), QStringLiteral("weak"));
    EXPECT_EQ(plot.tableModel()->headerData(3, Qt::Horizontal).toString(), QStringLiteral("predicted"));
    plot.setScale(ErrorScale::Share);
    EXPECT_EQ(cell(5, 3), QStringLiteral("1"));
    plot.setCurves({});
    EXPECT_EQ(plot.tableModel()->rowCount(), 0);
}

TEST_F(PlotTest, PaletteChangeRecoloursLive) {
    HessianPlot plot;
    plot.setCurves({testing::sixColumns()});
    show(plot);
    const auto corner = [&] { return plot.canvas()->grab().toImage().pixelColor(2, plot.canvas()->height() - 2); };
    QPalette dark;
    dark.setColor(QPalette::Base, QColor(30, 31, 32));
    dark.setColor(QPalette::Text, Qt::white);
    plot.setPalette(dark);
    QApplication::processEvents();
    EXPECT_EQ(corner(), QColor(30, 31, 32));
    QPalette light;
    light.setColor(QPalette::Base, QColor(250, 251, 252));
    light.setColor(QPalette::Text, Qt::black);
    plot.setPalette(light);
    QApplication::processEvents();
    EXPECT_EQ(corner(), QColor(250, 251, 252));
}

TEST_F(PlotTest, NewCurvesOfTheSameLengthKeepTheZoom) {
    HessianPlot plot;
    plot.setCurves({testing::manyColumns(1000, QStringLiteral("q_proj"))});
    show(plot);
    plot.zoomTo({100, 200, 1, 10});
    plot.setCurves({testing::manyColumns(1000, QStringLiteral("k_proj"))});
    EXPECT_NEAR(plot.view().xLower, 100, 1e-9);
    plot.setCurves({testing::manyColumns(500, QStringLiteral("k_proj"))});
    EXPECT_LT(plot.view().xLower, 0);
}

std::shared_ptr<LayerCurves> louder(const QString& name, float factor) {
    auto curves = testing::manyColumns(1000, name);
    for (float& value : curves->hessianDiagonal) value *= factor;
    return curves;
}

TEST_F(PlotTest, AZoomSurvivesNewNumbersOfTheSameLinear) {
    HessianPlot plot;
    const QString query = QStringLiteral("q_proj");
    plot.setCurves({louder(query, 1)});
    show(plot);
    const PlotView all = plot.view();
    drag(plot, plot.pixelOf(200, 500), plot.pixelOf(600, 2));
    const PlotView zoomed = plot.view();
    ASSERT_LT(zoomed.yUpper, all.yUpper);
    plot.setCurves({louder(query, 3)});
    EXPECT_EQ(plot.view(), zoomed);
    auto unknown = louder(query, 1);
    unknown->hessianDiagonal.clear();
    plot.setCurves({unknown});
    ASSERT_TRUE(plot.content().empty());
    plot.setCurves({louder(query, 2)});
    EXPECT_EQ(plot.view(), zoomed) << "numbers that go and come again";
    QTest::keyClick(&plot, Qt::Key_Backspace);
    EXPECT_LT(plot.view().xLower, 0);
    QTest::keyClick(&plot, Qt::Key_Backspace);
    plot.zoomTo(zoomed);
    plot.setCurves({louder(QStringLiteral("k_proj"), 1000)});
    EXPECT_EQ(plot.view().xLower, zoomed.xLower);
    EXPECT_GT(plot.view().yUpper, 1e5) << "another linear has values of its own";
    plot.setCurves({});
    plot.setCurves({louder(query, 1)});
    EXPECT_EQ(plot.view(), all);
}

TEST_F(PlotTest, AViewThatNobodyTouchedFollowsTheNumbers) {
    HessianPlot plot;
    const QString query = QStringLiteral("q_proj");
    plot.setCurves({louder(query, 1)});
    show(plot);
    const PlotView all = plot.view();
    drag(plot, plot.pixelOf(200, 10), plot.pixelOf(600, 10));  // along x alone
    plot.setCurves({louder(query, 1000)});
    EXPECT_NEAR(plot.view().xLower, 200, 3);
    EXPECT_NEAR(plot.view().yUpper / all.yUpper, 1000, 1);
    plot.zoomTo({100, 200, 1e3, 1e4});
    QTest::keyClick(&plot, Qt::Key_Home);
    plot.setCurves({louder(query, 1)});
    EXPECT_NEAR(plot.view().yUpper, all.yUpper, 1e-6 * all.yUpper) << "Home follows again";
}

TEST_F(PlotTest, CutIsDraggedWhereColumnsAreSorted) {
    SensitivityPlot plot;
    auto curves = testing::manyColumns(100, QStringLiteral("q_proj"));
    curves->weakColumns = {37, 5, 6, 7, 8, 9, 10, 11, 12, 13};
    curves->planned = true;
    plot.setCurves({curves});
    plot.setXMode(XMode::Rank);
    plot.setCutMovable(true);
    show(plot);
    QSignalSpy moved(&plot, &Plot::cutMoved);
    drag(plot, plot.pixelOf(89.5, 1), plot.pixelOf(69.5, 1));
    ASSERT_GE(moved.size(), 2);
    EXPECT_EQ(moved.last()[1].toInt(), 30);
    EXPECT_TRUE(moved.last()[2].toBool());
    EXPECT_FALSE(moved.first()[2].toBool());
}

TEST_F(PlotTest, TheCutByIndexIsDraggedUpAndDown) {
    SensitivityPlot plot;
    auto curves = testing::manyColumns(100, QStringLiteral("q_proj"));
    curves->weakColumns = {37};
    curves->planned = true;
    plot.setCurves({curves});
    plot.setCutMovable(true);
    show(plot);
    QSignalSpy moved(&plot, &Plot::cutMoved);
    std::vector<float> sorted = curves->sensitivity;
    std::sort(sorted.rbegin(), sorted.rend());
    const double between = std::sqrt(static_cast<double>(sorted[19]) * static_cast<double>(sorted[20]));
    drag(plot, plot.pixelOf(50, *plot.content().blocks[0].cut), plot.pixelOf(50, between));
    ASSERT_GE(moved.size(), 2);
    EXPECT_NEAR(moved.last()[1].toInt(), 20, 3);
}

TEST_F(PlotTest, ACutThatIsNotPlannedOrNotMovableIsNoHandle) {
    SensitivityPlot plot;
    auto curves = testing::manyColumns(100, QStringLiteral("q_proj"));
    curves->weakColumns = {37, 5};
    plot.setCurves({curves});
    plot.setXMode(XMode::Rank);
    plot.setCutMovable(true);
    show(plot);
    QSignalSpy moved(&plot, &Plot::cutMoved);
    drag(plot, plot.pixelOf(97.5, 1), plot.pixelOf(60, 1));
    EXPECT_EQ(moved.size(), 0) << "a zoom instead";
    EXPECT_GT(plot.view().xLower, 50);
}

TEST_F(PlotTest, WeakColumnsAreShownAtOnceInEveryPlotOfAGroup) {
    QWidget window;
    HessianPlot hessian(&window);
    ColumnRangePlot range(&window);
    CumulativeErrorPlot cumulative(&window);
    SensitivityPlot sensitivity(&window);
    PlotGroup group;
    for (Plot* plot : std::initializer_list<Plot*>{&hessian, &range, &cumulative, &sensitivity}) group.add(plot);
    auto curves = testing::manyColumns(1000, QStringLiteral("q_proj"));
    curves->weakColumns = {37};
    curves->planned = true;
    group.setCurves({curves});
    show(window, 600, 600);
    const std::vector<int> ranking = weakRanking(*curves);
    for (const int k : {12, 0, 5}) {
        group.showWeak(QStringLiteral("q_proj"), k);
        for (const Plot* plot : group.plots()) {
            const PlotBlock& block = plot->content().blocks.front();
            EXPECT_EQ(block.weakCount, k);
            for (size_t i = 0; i < block.column.size(); ++i) {
                const auto place = std::find(ranking.begin(), ranking.end(), block.column[i]) - ranking.begin();
                ASSERT_EQ(block.weak[i] != 0, place < k) << block.column[i];
            }
        }
        EXPECT_DOUBLE_EQ(*cumulative.content().blocks.front().cut, 1000 - k - 0.5);
        EXPECT_EQ(sensitivity.tableModel()->index(ranking[0], 4).data().toString(), k > 0 ? "weak" : "");
    }
}

std::vector<LayerCurvesPtr> manyCurves(int count) {
    std::vector<LayerCurvesPtr> all;
    for (int i = 0; i < count; ++i) all.push_back(testing::manyColumns(11008, QStringLiteral("model.layers.%1.down_proj").arg(i)));
    return all;
}

TEST_F(PlotTest, ManyCurvesAreLaidOutWhileTheFormerOnesStandThere) {
    CumulativeErrorPlot plot;
    plot.setCurves({testing::sixColumns()});
    show(plot);
    QSignalSpy changed(&plot, &Plot::contentChanged);
    const auto curves = manyCurves(20);
    plot.setCurves(curves);
    EXPECT_TRUE(plot.isBuilding());
    EXPECT_EQ(plot.content().blocks.size(), 1U);
    plot.setScale(ErrorScale::Share);  // overtakes what is under way
    ASSERT_TRUE(QTest::qWaitFor([&] { return !plot.isBuilding(); }, 60'000));
    QTest::qWait(100);
    EXPECT_EQ(changed.size(), 1) << "what was overtaken is not shown";
    const PlotContent expected = cumulativeErrorContent(curves, plot.xMode(), ErrorScale::Share);
    ASSERT_EQ(plot.content().blocks.size(), 20U);
    EXPECT_EQ(plot.content().blocks.back().values, expected.blocks.back().values);
    EXPECT_EQ(plot.content().length, 11008);
    EXPECT_EQ(plot.view().yUpper, expected.yAll.upper);
}

TEST_F(PlotTest, WhatIsCopiedIsTheSelectionThoughItIsStillBeingLaidOut) {
    HessianPlot plot;
    plot.setCurves({testing::sixColumns()});
    show(plot);
    plot.setCurves(manyCurves(15));
    ASSERT_TRUE(plot.isBuilding());
    const QString text = copied([&] {
        QTest::keySequence(&plot, QKeySequence::Copy);
        EXPECT_TRUE(plot.isBuilding()) << "nothing waits for it";
    });
    EXPECT_FALSE(plot.isBuilding());
    EXPECT_TRUE(text.contains(QStringLiteral("model.layers.14.down_proj\t11007")));
}

TEST_F(PlotTest, DataIsGatheredBesideTheWindowAndThePlotSaysSo) {
    HessianPlot plot;
    plot.setCurves({testing::manyColumns(20'000, QStringLiteral("q_proj"))});
    show(plot);
    const auto says = [&] {
        const auto labels = plot.findChildren<QLabel*>();
        return std::any_of(labels.begin(), labels.end(), [](const QLabel* label) { return label->text().startsWith(QStringLiteral("gathering")); });
    };
    const QString text = copied([&] {
        plot.copy();
        EXPECT_TRUE(QApplication::clipboard()->text().isEmpty());
        EXPECT_TRUE(says());
    });
    EXPECT_EQ(text, plot.visibleText(TableFormat::Tsv)());
    EXPECT_FALSE(says());
}

TEST_F(PlotTest, CsvHasTheVisibleRowsAndAFailureIsTold) {
    QTemporaryDir folder;
    HessianPlot plot;
    show(plot);
    plot.setCurves(manyCurves(15));
    ASSERT_TRUE(plot.isBuilding());
    const QString path = folder.filePath(QStringLiteral("data.csv"));
    plot.writeCsv(path);  // of what is being laid out
    ASSERT_TRUE(QTest::qWaitFor([&] { return QFile::exists(path); }, 60'000));
    QFile file(path);
    ASSERT_TRUE(file.open(QIODevice::ReadOnly));
    EXPECT_EQ(QString::fromUtf8(file.readAll()), plot.visibleText(TableFormat::Csv)());
    QSignalSpy failed(&plot, &Plot::failed);
    plot.writeCsv(folder.filePath(QStringLiteral("none/data.csv")));
    ASSERT_TRUE(failed.wait(60'000));
    EXPECT_TRUE(failed[0][0].toString().contains(QStringLiteral("none/data.csv")));
}

TEST_F(PlotTest, APlotMayGoWhileItsCurvesAreLaidOut) {
    auto plot = std::make_unique<SensitivityPlot>();
    plot->setCurves(manyCurves(15));
    EXPECT_TRUE(plot->isBuilding());
    plot.reset();
    QThreadPool::globalInstance()->waitForDone();
    QApplication::processEvents();
}

TEST_F(PlotTest, BracketsMoveTheCutOfTheCurve) {
    SensitivityPlot plot;
    auto curves = testing::manyColumns(100, QStringLiteral("q_proj"));
    curves->planned = true;
    plot.setCurves({curves});
    plot.setCutMovable(true);
    show(plot);
    QSignalSpy moved(&plot, &Plot::cutMoved);
    QTest::keyClick(&plot, Qt::Key_BracketRight);
    ASSERT_EQ(moved.size(), 1);
    EXPECT_EQ(moved.last()[1].toInt(), 2);
    QTest::keyClick(&plot, Qt::Key_BracketLeft);
    EXPECT_EQ(moved.last()[1].toInt(), 0) << "never below none";
    plot.setCutMovable(false);
    QTest::keyClick(&plot, Qt::Key_BracketRight);
    EXPECT_EQ(moved.size(), 2);
}

TEST_F(PlotTest, GroupSharesSelectionZoomAndMode) {
    QWidget window;
    HessianPlot hessian(&window);
    ColumnRangePlot range(&window);
    CumulativeErrorPlot cumulative(&window);
    PlotGroup group;
    for (Plot* plot : std::initializer_list<Plot*>{&hessian, &range, &cumulative}) group.add(plot);
    for (int i = 0; i < 3; ++i) group.plots()[static_cast<size_t>(i)]->setGeometry(0, 200 * i, 600, 200);
    group.setCurves({testing::manyColumns(1000, QStringLiteral("q_proj"))});
    show(window, 600, 600);

    const PlotView home = range.view(), rankHome = cumulative.view();
    drag(hessian, hessian.pixelOf(200, 10), hessian.pixelOf(600, 10));
    EXPECT_DOUBLE_EQ(range.view().xLower, hessian.view().xLower);
    EXPECT_DOUBLE_EQ(range.view().xUpper, hessian.view().xUpper);
    EXPECT_EQ(cumulative.view(), rankHome) << "sorted by rank while the others stand by index";
    QTest::keyClick(&range, Qt::Key_Backspace);
    EXPECT_EQ(range.view(), home);
    EXPECT_DOUBLE_EQ(hessian.view().xLower, home.xLower);

    QSignalSpy selected(&group, &PlotGroup::columnSelected);
    QTest::mouseClick(hessian.canvas(), Qt::LeftButton, {}, hessian.pixelOf(437, 300).toPoint());
    ASSERT_EQ(selected.size(), 1);
    EXPECT_EQ(range.selectedColumn(), hessian.selectedColumn());
    EXPECT_EQ(cumulative.selectedColumn(), hessian.selectedColumn());
    EXPECT_EQ(range.crosshair(), hessian.crosshair());

    hessian.setCrosshair(100);
    hessian.pinReference();
    hessian.setCrosshair(200);
    EXPECT_EQ(range.reference(), 100);
    EXPECT_TRUE(range.readout().contains(QStringLiteral("Δ"))) << qPrintable(range.readout());
    EXPECT_EQ(cumulative.reference(), -1) << "position 100 is another column there";
    QTest::keyClick(&range, Qt::Key_Escape);
    EXPECT_EQ(hessian.reference(), -1);

    group.setXMode(XMode::Rank);
    cumulative.setCrosshair(10);
    QTest::keyClick(&cumulative, Qt::Key_P);
    EXPECT_EQ(hessian.reference(), 10);
    hessian.zoomTo({500, 900, 1, 10});
    EXPECT_DOUBLE_EQ(cumulative.view().xLower, 500);
    EXPECT_DOUBLE_EQ(range.view().xUpper, 900);
}

TEST_F(PlotTest, TableTwinsAndPlotsSelectTheSameColumnAndLayer) {
    QWidget window;
    HessianPlot hessian(&window);
    SensitivityPlot sensitivity(&window);
    PlotGroup group;
    for (Plot* plot : std::initializer_list<Plot*>{&hessian, &sensitivity}) group.add(plot);
    hessian.setGeometry(0, 0, 600, 300);
    sensitivity.setGeometry(0, 300, 600, 300);
    group.setCurves({testing::sixColumns(QStringLiteral("fc1")), testing::manyColumns(1000, QStringLiteral("fc2"))});
    group.setXMode(XMode::Rank);
    show(window, 600, 600);
    group.selectColumn(3, QStringLiteral("fc2"));
    sensitivity.setTableShown(true);
    auto* table = sensitivity.findChild<QTableView*>();
    ASSERT_TRUE(table);
    const auto at = [&](int column) { return table->currentIndex().siblingAtColumn(column).data().toString(); };
    EXPECT_EQ(at(0) + at(1), QStringLiteral("fc23")) << "as chosen before there was a table";
    QSignalSpy selected(&group, &PlotGroup::columnSelected);
    const PlotBlock& longer = hessian.content().blocks[1];
    QTest::mouseClick(hessian.canvas(), Qt::LeftButton, {}, hessian.pixelOf(900, longer.values[0][900]).toPoint());
    ASSERT_EQ(selected.size(), 1) << "the table follows without choosing itself";
    EXPECT_EQ(at(0), QStringLiteral("fc2"));
    EXPECT_EQ(at(1).toInt(), hessian.selectedColumn());
    EXPECT_TRUE(table->viewport()->rect().intersects(table->visualRect(table->currentIndex())));
    EXPECT_TRUE(table->selectionModel()->isRowSelected(table->currentIndex().row()));

    table->setCurrentIndex(table->model()->index(2, 0));  // the other way round
    EXPECT_EQ(at(0), QStringLiteral("fc1"));
    EXPECT_EQ(hessian.selectedColumn(), at(1).toInt());
    ASSERT_EQ(selected.size(), 2);
    EXPECT_EQ(selected[1][0].toString(), QStringLiteral("fc1"));

    group.setCurves({testing::manyColumns(1000, QStringLiteral("fc2"))});
    EXPECT_EQ(at(1).toInt(), hessian.selectedColumn()) << "other numbers, the same column";
    group.selectColumn(-1);
    EXPECT_FALSE(table->currentIndex().isValid());
}

// Share of the pixels of the plot that are neither background nor text: the curves.
double inkOf(Plot& plot) {
    const QImage image = plot.canvas()->grab().toImage();
    int ink = 0;
    for (int y = 0; y < image.height(); ++y)
        for (int x = 0; x < image.width(); ++x) ink += image.pixelColor(x, y).hsvSaturation() > 100;
    return static_cast<double>(ink) / (image.width() * image.height());
}

TEST_F(PlotTest, ElevenThousandColumnsOfManyLinearsAreDrawn) {
    std::vector<LayerCurvesPtr> curves;
    for (int i = 0; i < 40; ++i) curves.push_back(testing::manyColumns(11008, QStringLiteral("model.layers.%1.mlp.down_proj").arg(i)));
    HessianPlot hessian;
    ColumnRangePlot range;
    CumulativeErrorPlot cumulative;
    for (Plot* plot : std::initializer_list<Plot*>{&hessian, &range, &cumulative}) {
        plot->setCurves(curves);
        show(*plot);
        ASSERT_TRUE(QTest::qWaitFor([&] { return !plot->isBuilding(); }, 60'000));
        QApplication::processEvents();
        EXPECT_EQ(plot->tableModel()->rowCount(), 40 * 11008);
        const double line = 0.002 / plot->devicePixelRatioF();  // of dense curves: one pixel of the screen, however fine it is
        EXPECT_GT(inkOf(*plot), plot == &cumulative ? line : 0.1) << qPrintable(plot->content().title);
        plot->zoomTo({5000, 5200, plot->view().yLower, plot->view().yUpper});
        QApplication::processEvents();
        EXPECT_DOUBLE_EQ(plot->view().xLower, 5000);
        EXPECT_GT(inkOf(*plot), line) << qPrintable(plot->content().title);
    }
}

TEST_F(PlotTest, OneCurveIsOnTheScreen) {
    HessianPlot plot;
    plot.setCurves({testing::manyColumns(1000, QStringLiteral("q_proj"))});
    show(plot);
    EXPECT_GT(inkOf(plot), 0.02);
    plot.setCurves({});
    QApplication::processEvents();
    EXPECT_TRUE(plot.content().empty());
}

}  // namespace
}  // namespace owq
