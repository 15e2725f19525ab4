// SPDX-License-Identifier: Apache-2.0
#include "widgets/lesson/lesson_view.h"

#include <gtest/gtest.h>

#include <QComboBox>
#include <QLabel>
#include <QListWidget>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>
#include <QTextBrowser>
#include <set>

#include "tests/widgets/lesson/made_up_lesson.h"
#include "widgets/hessian/hessian_plot.h"
#include "widgets/lesson/cell_pane.h"

namespace owq {
namespace {

class LessonViewTest : public testing::Test {
protected:
    LessonViewTest() {
        view.setLesson(data);
        view.show();
        view.activateWindow();
        EXPECT_TRUE(QTest::qWaitForWindowActive(&view));
    }
    QPushButton* button(const char* name) { return view.findChild<QPushButton*>(QLatin1String(name)); }
    QString text() { return view.findChild<QTextBrowser*>(QStringLiteral("lessonText"))->toPlainText(); }
    void toPage(LessonPage page) {
        const auto places = lessonPlaces(*data);
        for (int i = 0; i < int(places.size()); ++i)
            if (places[size_t(i)].page == page) return view.goTo(i);
    }
    LessonDataPtr data = madeUpLesson();
    LessonView view;
};

TEST_F(LessonViewTest, StepsThroughEverythingByKeyAndMouse) {
    EXPECT_EQ(view.steps(), 3 + 4 + 3 + 1);
    EXPECT_TRUE(button("lessonNext")->hasFocus());
    EXPECT_FALSE(button("lessonBack")->isEnabled());
    QSignalSpy stepped(&view, &LessonView::stepChanged);
    QTest::keyClick(button("lessonNext"), Qt::Key_Right);
    EXPECT_EQ(view.place().page, LessonPage::grid);
    QTest::keyClick(button("lessonNext"), Qt::Key_Left);
    EXPECT_EQ(view.place().page, LessonPage::linear);
    QTest::mouseClick(button("lessonNext"), Qt::LeftButton);
    view.mainPane().canvas().setFocus();
    QTest::keyClick(&view.mainPane().canvas(), Qt::Key_Right, Qt::AltModifier);
    EXPECT_EQ(view.place().page, LessonPage::ranking);
    EXPECT_EQ(stepped.count(), 4);
    std::set<QString> texts;
    for (int i = 0; i < view.steps(); ++i) {
        view.goTo(i);
        EXPECT_FALSE(text().contains(QLatin1String("%1"))) << i;
        EXPECT_FALSE(text().contains(QLatin1String("nan"))) << i << text().toStdString();
        texts.insert(text());
        const bool looksAtSomething = view.scene().showsPlot || !view.scene().main.cells.empty();
        EXPECT_TRUE(looksAtSomething) << i;
    }
    EXPECT_EQ(int(texts.size()), view.steps()) << "every step says something of its own";
    EXPECT_FALSE(button("lessonNext")->isEnabled());
    view.goTo(view.steps());
    EXPECT_EQ(view.step(), view.steps() - 1);
    auto* contents = view.findChild<QListWidget*>();
    EXPECT_EQ(contents->count(), 6);
    contents->setCurrentRow(3);
    EXPECT_EQ(view.place(), (LessonPlace{LessonPage::loop, 0}));
}

TEST_F(LessonViewTest, TheHeatMapFramesTheChosenCellAndTriesOthers) {
    toPage(LessonPage::grid);
    const LessonGrid& grid = data->all.grids[0];
    const CellGrid& heat = view.scene().main;
    EXPECT_EQ(heat.columns(), 100);
    EXPECT_EQ(heat.rows(), 8);
    int framed = 0;
    for (int r = 0; r < heat.rows(); ++r)
        for (int c = 0; c < heat.columns(); ++c) framed += heat.at(r, c).framed;
    EXPECT_EQ(framed, 1);
    EXPECT_TRUE(heat.at(7 - grid.zero, grid.step - 1).framed);
    EXPECT_DOUBLE_EQ(heat.at(7, 99).value, grid.at(100, 0));
    EXPECT_EQ(view.mainPane().canvas().cursor(), QPoint(grid.step - 1, 7 - grid.zero));
    EXPECT_FALSE(text().contains("Under the cursor"));

    view.mainPane().canvas().setFocus();
    QTest::keyClick(&view.mainPane().canvas(), Qt::Key_Right);
    EXPECT_TRUE(text().contains("Under the cursor"));
    const LessonCode code = codeOn(grid, grid.step + 1, grid.zero, data->weight[2]);
    EXPECT_EQ(view.scene().side.at(1, 2).value, code.code);
    EXPECT_EQ(view.scene().side.at(2, 2).value, code.value);
    EXPECT_TRUE(view.sidePane().isVisible());

    auto* row = view.findChild<QComboBox*>(QStringLiteral("lessonRow"));
    ASSERT_TRUE(row->isVisible());
    row->setFocus();
    QTest::keyClick(row, Qt::Key_Down);
    EXPECT_EQ(view.row(), 1);
    EXPECT_TRUE(view.scene().main.at(7 - 3, data->all.grids[1].step - 1).framed);
    EXPECT_FALSE(text().contains("Under the cursor")) << "a new row begins at its chosen cell";
}

TEST_F(LessonViewTest, CodesAreThoseOfTheRule) {
    const LessonGrid& grid = data->all.grids[0];
    EXPECT_EQ(codeOn(grid, 50, 3, 0.31).code, 6);  // 0.31 / 0.1 = 3.1
    EXPECT_NEAR(codeOn(grid, 50, 3, 0.31).value, 0.3, 1e-6);
    EXPECT_EQ(codeOn(grid, 50, 3, 9.0).code, 7) << "clipped";
    EXPECT_EQ(codeOn(grid, 50, 3, -9.0).code, 0);
}

TEST_F(LessonViewTest, ATurnShowsWhatWasRoundedWhatMovedAndByWhat) {
    view.goTo(4);  // the second turn
    ASSERT_EQ(view.place(), (LessonPlace{LessonPage::loop, 1}));
    const LessonTurn& turn = data->all.turns[1];
    const CellGrid& grid = view.scene().main;
    ASSERT_EQ(grid.rows(), 3 + 1);
    ASSERT_EQ(grid.columns(), 4 + 1);
    for (int r = 0; r < 3; ++r) {
        EXPECT_EQ(grid.at(r, 0).look, CellLook::done);
        EXPECT_EQ(grid.at(r, 1).value, double(turn.rounded[size_t(r)]));
        EXPECT_EQ(grid.at(r, 4).value, double(turn.error[size_t(r)]));
        for (int k = 2; k < 4; ++k) {
            const double expected = turn.before[size_t(r * 4 + k)] - turn.error[size_t(r)] * data->all.factor[size_t(4 + k)];
            EXPECT_NEAR(grid.at(r, k).value, expected, 1e-6);
            EXPECT_EQ(grid.at(r, k).shade < 0, expected < turn.before[size_t(r * 4 + k)]);
        }
    }
    EXPECT_FALSE(grid.has(3, 0)) << "the factor is triangular";
    EXPECT_EQ(grid.at(3, 2).value, double(data->all.factor[6]));
    EXPECT_TRUE(grid.at(0, 1).framed);

    // Choosing a cell puts its row and column into the equations.
    QTest::mouseClick(&view.mainPane().canvas(), Qt::LeftButton, {}, view.mainPane().canvas().centreOf(2, 3).toPoint());
    EXPECT_EQ(view.row(), 2);
    EXPECT_TRUE(view.scene().main.at(2, 1).framed);
    EXPECT_TRUE(text().contains("Row 9"));
    EXPECT_TRUE(text().contains("For channel 30")) << text().toStdString();
    view.goTo(5);
    EXPECT_EQ(view.row(), 2) << "stays for the next turn";
    EXPECT_TRUE(text().contains("For channel 30"));
}

TEST_F(LessonViewTest, TheKeptColumnIsLastAndNeverRounded) {
    toPage(LessonPage::kept);
    const CellGrid& grid = view.scene().main;
    EXPECT_EQ(grid.columnNames[3], "7");
    EXPECT_EQ(grid.weakColumn, 3);
    toPage(LessonPage::result);
    EXPECT_EQ(view.scene().main.at(1, 1).value, 0) << "no loss";
    EXPECT_EQ(view.scene().main.at(0, 1).value, data->all.turns[1].loss);
    EXPECT_EQ(view.scene().main.at(0, 1).look, CellLook::weakBar);
}

TEST_F(LessonViewTest, ShowsThePlotOfTheWholeLinearAndExportsWhatIsSeen) {
    auto* plot = view.findChild<HessianPlot*>();
    EXPECT_TRUE(plot->isVisible());
    EXPECT_EQ(plot->selectedColumn(), 7);
    QString exported;
    QObject::connect(&view, &LessonView::figureRequested, [&](const FigureSource& source) { exported = source.name; });
    QTest::mouseClick(button("lessonExport"), Qt::LeftButton);
    EXPECT_TRUE(exported.startsWith(QStringLiteral("hessian-"))) << exported.toStdString();
    toPage(LessonPage::ranking);
    EXPECT_FALSE(plot->isVisible());
    QTest::mouseClick(button("lessonExport"), Qt::LeftButton);
    EXPECT_EQ(exported, "lesson-ranking");
}

TEST(LessonView, WaitsFailsAndIsTriedAgain) {
    LessonView view;
    view.showBusy(QStringLiteral("Measuring"), 0.5);
    view.show();
    view.activateWindow();
    ASSERT_TRUE(QTest::qWaitForWindowActive(&view));
    QSignalSpy cancelled(&view, &LessonView::cancelWanted), again(&view, &LessonView::againWanted);
    QTest::mouseClick(view.findChild<QPushButton*>(QStringLiteral("lessonCancel")), Qt::LeftButton);
    EXPECT_EQ(cancelled.count(), 1);
    view.showFailure(QStringLiteral("No text"), QStringLiteral("Give one"));
    QTest::mouseClick(view.findChild<QPushButton*>(QStringLiteral("lessonAgain")), Qt::LeftButton);
    EXPECT_EQ(again.count(), 1);
    view.showBusy(QStringLiteral("Measuring"), -1);
    QTest::keyClick(&view, Qt::Key_Escape);
    EXPECT_FALSE(view.isVisible());
    EXPECT_EQ(cancelled.count(), 2) << "closing stops what nobody waits for";
}

}  // namespace
}  // namespace owq
