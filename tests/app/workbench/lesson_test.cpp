// SPDX-License-Identifier: Apache-2.0
// The lesson and the tour from the menus and the start page.
#include <QApplication>
#include <QDir>
#include <QFrame>
#include <QPushButton>
#include <QSettings>

#include "app/workbench/plot_area.h"
#include "app/workbench/sample.h"
#include "tests/app/workbench/window_fixture.h"
#include "widgets/figure/figure_dialog.h"
#include "widgets/help/help_window.h"
#include "widgets/lesson/cell_pane.h"
#include "widgets/lesson/lesson_view.h"
#include "widgets/sensitivity/sensitivity_plot.h"
#include "widgets/start_page/start_page.h"
#include "widgets/tour/tour.h"

namespace owq {
namespace {

class LessonTest : public MainWindowTest {
protected:
    void lessonKey() {
        window->activateWindow();  // the lesson is a window of its own
        ASSERT_TRUE(waitFor([&] { return QApplication::activeWindow() == window.get(); }));
        QTest::keyClick(window.get(), Qt::Key_L, Qt::ControlModifier);
    }
    LessonView* lesson() { return get<LessonView>(); }
    bool ready() {
        return waitFor([&] { return lesson() && lesson()->hasLesson() && world->taught > 0; }) && idle();
    }
    LessonOptions asked() {
        const std::lock_guard lock(world->mutex);
        return world->lastLesson;
    }
};

TEST_F(LessonTest, IsAboutTheSelectedLayerOfTheOpenModel) {
    openModel();
    const QString layer = QStringLiteral("model.layers.1.mlp.up_proj");
    get<LayerTree>()->select({layer});
    lessonKey();
    ASSERT_TRUE(ready());
    EXPECT_TRUE(lesson()->isVisible());
    EXPECT_EQ(asked().linear, layer.toStdString());
    EXPECT_EQ(asked().model.string(), model().toStdString());
    EXPECT_FALSE(asked().calibration.text.empty()) << "the sample's text where none was given";
    EXPECT_EQ(lesson()->steps(), 3 + 3 + 2 + 1);

    fillPanel();
    lessonKey();
    ASSERT_TRUE(waitFor([&] { return world->taught == 2; })) << "another text is another lesson";
    ASSERT_TRUE(idle());
    EXPECT_EQ(asked().calibration.text.string(), calibration().toStdString());
    lessonKey();
    EXPECT_TRUE(idle());
    EXPECT_EQ(world->taught, 2) << "the same is only shown again";
}

TEST_F(LessonTest, IsFoundAgainAtTheStepWhereItWasLeft) {
    openModel();
    lessonKey();
    ASSERT_TRUE(ready());
    auto* next = lesson()->findChild<QPushButton*>(QStringLiteral("lessonNext"));
    for (int i = 0; i < 4; ++i) QTest::keyClick(next, Qt::Key_Right);
    EXPECT_EQ(lesson()->step(), 4);
    QTest::keyClick(lesson(), Qt::Key_Escape);
    EXPECT_FALSE(lesson()->isVisible());
    lessonKey();
    EXPECT_TRUE(lesson()->isVisible());
    EXPECT_EQ(lesson()->step(), 4);
    window->close();
    world->taught = 0;
    make();
    openModel();
    lessonKey();
    ASSERT_TRUE(ready());
    EXPECT_EQ(lesson()->step(), 4);
}

TEST_F(LessonTest, StartsFromTheStartPageOnTheSample) {
    if (sampleModel().isEmpty()) GTEST_SKIP() << "no sample beside the tests";
    auto* button = window->findChild<QPushButton*>(QStringLiteral("takeLesson"));
    ASSERT_TRUE(button->isVisible());
    QTest::mouseClick(button, Qt::LeftButton);
    ASSERT_TRUE(ready());
    EXPECT_EQ(asked().model.string(), sampleModel().toStdString());
    EXPECT_TRUE(asked().linear.empty()) << "the job chooses";
    EXPECT_TRUE(get<StartPage>()->isVisible()) << "nothing was opened in the window itself";
}

TEST_F(LessonTest, SaysWhatWentWrongAndIsTriedAgain) {
    world->failLesson = true;
    openModel();
    lessonKey();
    auto* again = [&] { return lesson() ? lesson()->findChild<QPushButton*>(QStringLiteral("lessonAgain")) : nullptr; }();
    ASSERT_TRUE(waitFor([&] { return again->isVisible(); }));
    EXPECT_FALSE(lesson()->hasLesson());
    world->failLesson = false;
    QTest::mouseClick(again, Qt::LeftButton);
    ASSERT_TRUE(ready());

    world->perLayer = std::chrono::milliseconds(60000);
    get<LayerTree>()->select({QStringLiteral("model.layers.1.mlp.up_proj")});
    lessonKey();
    ASSERT_TRUE(waitFor([&] { return window->runner().computing(); }));
    auto* cancel = lesson()->findChild<QPushButton*>(QStringLiteral("lessonCancel"));
    ASSERT_TRUE(waitFor([&] { return cancel->isVisible(); }));
    QTest::mouseClick(cancel, Qt::LeftButton);
    ASSERT_TRUE(idle());
    EXPECT_TRUE(again->isVisible());
}

TEST_F(LessonTest, HelpAndFiguresBelongToIt) {
    openModel();
    lessonKey();
    ASSERT_TRUE(ready());
    lesson()->activateWindow();
    ASSERT_TRUE(QTest::qWaitForWindowActive(lesson()));
    QTest::keyClick(lesson(), Qt::Key_F1);
    ASSERT_TRUE(waitFor([&] { return get<HelpWindow>() != nullptr; }));
    EXPECT_EQ(get<HelpWindow>()->topic(), "lesson");
    lesson()->goTo(2);
    QTest::mouseClick(lesson()->findChild<QPushButton*>(QStringLiteral("lessonExport")), Qt::LeftButton);
    FigureDialog* dialog = nullptr;
    ASSERT_TRUE(waitFor([&] { return (dialog = lesson()->findChild<FigureDialog*>()) != nullptr; }));
    const QString out = dir.filePath(QStringLiteral("ranking.svg"));
    dialog->setDestination(out);
    ASSERT_TRUE(waitFor([&] { return !dialog->isBusy(); }));
    dialog->accept();
    ASSERT_TRUE(waitFor([&] { return lesson()->findChild<FigureDialog*>() == nullptr; }));
    EXPECT_TRUE(QFile::exists(out));
    EXPECT_TRUE(QFile::exists(dir.filePath(QStringLiteral("ranking.csv"))));
}

TEST_F(LessonTest, TheTourPointsAtThePanels) {
    openModel();
    QTest::keyClick(window.get(), Qt::Key_L, Qt::ControlModifier | Qt::ShiftModifier);
    auto* tour = get<Tour>();
    ASSERT_TRUE(tour);
    EXPECT_EQ(tour->count(), 6);
    const auto over = [&](QWidget* widget) {
        return tour->highlighted().contains(QRect(widget->mapTo(window.get(), QPoint()), widget->size()).center());
    };
    QWidget* const places[] = {get<LayerTree>(), get<PlotArea>(), get<SensitivityPlot>(),
                               window->findChild<QWidget*>(QStringLiteral("budget")), window->findChild<QWidget*>(QStringLiteral("run")),
                               get<ResultsView>()};
    for (QWidget* place : places) {
        ASSERT_TRUE(waitFor([&] { return over(place) && place->isVisible(); })) << tour->current();
        QTest::keyClick(tour->findChild<QPushButton*>(QStringLiteral("tourNext")), Qt::Key_Right);
    }
    EXPECT_TRUE(waitFor([&] { return get<Tour>() == nullptr; })) << "over after the last";
}

TEST_F(LessonTest, TheTourOpensTheSampleWhereNothingIsOpen) {
    if (sampleModel().isEmpty()) GTEST_SKIP() << "no sample beside the tests";
    QTest::mouseClick(window->findChild<QPushButton*>(QStringLiteral("takeTour")), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return get<Tour>() != nullptr; }));
    EXPECT_TRUE(get<LayerTree>()->isVisible());
    QTest::keyClick(get<Tour>()->findChild<QPushButton*>(QStringLiteral("tourNext")), Qt::Key_Escape);
    EXPECT_TRUE(waitFor([&] { return get<Tour>() == nullptr; }));
}

}  // namespace
}  // namespace owq
