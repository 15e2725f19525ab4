// SPDX-License-Identifier: Apache-2.0
#include "widgets/lesson/cell_pane.h"

#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QClipboard>
#include <QFile>
#include <QGuiApplication>
#include <QSignalSpy>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>

namespace owq {
namespace {

CellGrid small() {
    CellGrid grid({QStringLiteral("row 4"), QStringLiteral("row 9")}, {QStringLiteral("1"), QStringLiteral("2"), QStringLiteral("8")});
    grid.title = QStringLiteral("Weights");
    grid.name = QStringLiteral("weights");
    grid.yTitle = QStringLiteral("w");
    for (int r = 0; r < 2; ++r)
        for (int c = 0; c < 3; ++c)
            if (r != 1 || c != 1)
                grid.at(r, c) = {
                    0.125 * (r * 3 + c), QStringLiteral("x"), QStringLiteral("cell %1 %2").arg(r).arg(c), CellLook::shaded, 0.5, false};
    grid.at(0, 2).framed = true;
    return grid;
}

class CellPaneTest : public testing::Test {
protected:
    CellPaneTest() {
        pane.setGrid(small());
        pane.resize(500, 300);
        pane.show();
        pane.activateWindow();
        EXPECT_TRUE(QTest::qWaitForWindowActive(&pane));
    }
    void key(int key, Qt::KeyboardModifiers modifiers = {}) { QTest::keyClick(&pane.canvas(), Qt::Key(key), modifiers); }
    CellPane pane;
};

TEST_F(CellPaneTest, ArrowsWalkOverTheCellsAndSayTheirNumbers) {
    EXPECT_EQ(pane.canvas().cursor(), QPoint(2, 0)) << "at first the framed one";
    pane.canvas().setFocus();
    key(Qt::Key_Down);
    EXPECT_EQ(pane.readout(), "cell 1 2: 0.625");
    EXPECT_EQ(pane.canvas().accessibleDescription(), "cell 1 2: 0.625");
    key(Qt::Key_Left);
    EXPECT_EQ(pane.canvas().cursor(), QPoint(0, 1)) << "over the hole";
    key(Qt::Key_Left);
    EXPECT_EQ(pane.canvas().cursor(), QPoint(0, 1)) << "stays at the edge";
    key(Qt::Key_Right);
    EXPECT_EQ(pane.canvas().cursor(), QPoint(2, 1));
    key(Qt::Key_Up);
    key(Qt::Key_Left);
    key(Qt::Key_Down);
    EXPECT_EQ(pane.canvas().cursor(), QPoint(1, 0)) << "nothing below";
}

TEST_F(CellPaneTest, MouseLooksAndChooses) {
    QSignalSpy moved(&pane.canvas(), &CellCanvas::cursorMoved);
    QTest::mouseMove(&pane.canvas(), pane.canvas().centreOf(0, 1).toPoint());
    ASSERT_TRUE(QTest::qWaitFor([&] { return pane.readout() == "cell 0 1: 0.125"; })) << pane.readout().toStdString();
    EXPECT_EQ(moved.count(), 0) << "looking is not choosing";
    QTest::mouseClick(&pane.canvas(), Qt::LeftButton, {}, pane.canvas().centreOf(1, 0).toPoint());
    ASSERT_EQ(moved.count(), 1);
    EXPECT_EQ(moved[0][0].toInt(), 1);
    EXPECT_EQ(moved[0][1].toInt(), 0);
}

TEST_F(CellPaneTest, HasATableTwinAndCopiesNumbers) {
    pane.canvas().setFocus();
    key(Qt::Key_C, Qt::ControlModifier);
    EXPECT_EQ(QGuiApplication::clipboard()->text(), "w\t1\t2\t8\nrow 4\t0\t0.125\t0.25\nrow 9\t0.375\t\t0.625\n");
    key(Qt::Key_T, Qt::ControlModifier);
    auto* table = pane.findChild<QTableView*>();
    ASSERT_TRUE(table->isVisible());
    EXPECT_FALSE(table->accessibleName().isEmpty());
    const QAbstractItemModelTester tester(table->model());
    EXPECT_EQ(table->model()->index(1, 2).data().toString(), "0.625");
    EXPECT_EQ(table->model()->headerData(1, Qt::Vertical).toString(), "row 9");
    EXPECT_FALSE(table->model()->index(1, 1).data().isValid());
    QTest::keyClick(table, Qt::Key_T, Qt::ControlModifier);
    EXPECT_TRUE(pane.canvas().isVisible());
}

TEST_F(CellPaneTest, BecomesAFigureInEveryFormat) {
    QTemporaryDir dir;
    FigureOptions options;
    options.csvPath = dir.filePath(QStringLiteral("data.csv"));
    for (const char* ending : {"pdf", "svg", "png"}) {
        const QString path = dir.filePath(QStringLiteral("figure.") + QLatin1String(ending));
        const FigureResult result = writeFigure(options, pane.figure(), path);
        ASSERT_TRUE(result.ok) << result.error.toStdString();
        QFile file(path);
        ASSERT_TRUE(file.open(QIODevice::ReadOnly));
        EXPECT_GT(file.size(), 1000);
        if (QLatin1String(ending) == QLatin1String("svg")) {
            EXPECT_TRUE(file.readAll().contains("row 9"));
        }
    }
    QFile csv(options.csvPath);
    ASSERT_TRUE(csv.open(QIODevice::ReadOnly));
    EXPECT_EQ(csv.readAll(), "w,1,2,8\nrow 4,0,0.125,0.25\nrow 9,0.375,,0.625\n");
    QSignalSpy asked(&pane, &CellPane::figureRequested);
    pane.canvas().setFocus();
    key(Qt::Key_G, Qt::ControlModifier);
    EXPECT_EQ(asked.count(), 1);
}

TEST(CommonPower, KeepsNumbersShort) {
    const CommonPower small = commonPower({0.0123, -0.0456});
    EXPECT_EQ(small.unit(), QStringLiteral(" × 10⁻²"));
    EXPECT_EQ(small.text(-0.0456), QStringLiteral("−4.56"));
    EXPECT_EQ(small.text(-1e-6), "0.00");
    EXPECT_EQ(commonPower({3.0, 42.0}).unit(), "");
    EXPECT_EQ(commonPower({0.5}).text(0.5), "5.00");
    EXPECT_EQ(commonPower({12345.0}).unit(), QStringLiteral(" × 10⁴"));
    EXPECT_EQ(commonPower({0.0}).text(0), "0.00");
}

}  // namespace
}  // namespace owq
