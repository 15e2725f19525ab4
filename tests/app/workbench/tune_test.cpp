// SPDX-License-Identifier: Apache-2.0
// Weak column tuning by hand: settings typed, the loss as it comes, stopped and gone on with.
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QMessageBox>
#include <QTimer>

#include "tests/app/workbench/window_fixture.h"
#include "widgets/try_it/try_panel.h"
#include "widgets/tune/loss_plot.h"
#include "widgets/tune/tune_panel.h"

namespace owq {
namespace {

class TuneWindowTest : public MainWindowTest {
protected:
    void finishARun() {
        openModel();
        fillPanel();
        press("run");
        ASSERT_TRUE(waitFor([&] { return world->quantized == 1; }));
        ASSERT_TRUE(idle());
        ASSERT_TRUE(waitFor([&] { return panel().findChild<QComboBox*>()->count() == 1; })) << "the run can be tuned, the original cannot";
        for (auto* dock : window->findChildren<QWidget*>(QStringLiteral("tune")))
            if (dock->inherits("QDockWidget")) dock->show(), dock->raise();
        ASSERT_TRUE(waitFor([&] { return panel().isVisible(); }));
    }
    TunePanel& panel() { return *get<TunePanel>(); }
    QPushButton* start() { return panel().findChild<QPushButton*>(QStringLiteral("tune")); }
    QString text(const char* label) { return panel().findChild<QLabel*>(QLatin1String(label))->text(); }
    void type(const char* edit, const QString& value) {
        auto* line = window->findChild<QLineEdit*>(QLatin1String(edit));
        line->selectAll();
        QTest::keyClicks(line, value);
    }
};

TEST_F(TuneWindowTest, ShowsTheLossAsItComesAndWhatCameOfIt) {
    finishARun();
    EXPECT_FALSE(start()->isEnabled()) << "no data yet";
    type("tuneData", calibration());
    EXPECT_EQ(panel().request().out, run() + QStringLiteral("-tuned"));
    ASSERT_TRUE(start()->isEnabled());
    QTest::mouseClick(start(), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return world->tuned == 1 && !panel().running(); }));
    EXPECT_EQ(world->lastTune.model.string(), run().toStdString());
    EXPECT_EQ(world->lastTune.data.string(), calibration().toStdString());
    EXPECT_TRUE(world->lastTune.resume);
    const auto& points = panel().plot().points();
    ASSERT_EQ(points.size(), 7u);
    EXPECT_EQ(points.front().validation, 4);
    EXPECT_DOUBLE_EQ(points[1].loss, 3.9);
    EXPECT_EQ(points.back().validation, 3.5);
    EXPECT_TRUE(text("tuneStatus").contains(QStringLiteral("54.598 before, 33.115 after"))) << text("tuneStatus").toStdString();
    panel().plot().setFocus();
    QTest::keyClick(&panel().plot(), Qt::Key_C, Qt::ControlModifier);
    EXPECT_TRUE(QGuiApplication::clipboard()->text().startsWith(QStringLiteral("step\tloss\tvalidation\n0\t\t4\n1\t3.9\t\n")));
}

TEST_F(TuneWindowTest, ForecastsWithoutTraining) {
    finishARun();
    type("tuneData", calibration());
    for (auto* button : panel().findChildren<QPushButton*>())
        if (button->text().contains(QStringLiteral("Forecast"))) QTest::mouseClick(button, Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return text("tuneForecast").contains(QStringLiteral("5 steps: about 10 s and 300 MB")); })) << text("tuneForecast").toStdString();
    EXPECT_TRUE(world->lastTune.dryRun);
    EXPECT_TRUE(panel().plot().points().empty());
}

TEST_F(TuneWindowTest, StopsAndGoesOn) {
    finishARun();
    type("tuneData", calibration());
    world->perLayer = std::chrono::milliseconds(60000);
    QTest::mouseClick(start(), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return world->tuned == 1; }));
    EXPECT_TRUE(start()->text().contains(QStringLiteral("Stop")));
    QTest::mouseClick(start(), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return !panel().running(); }));
    EXPECT_TRUE(text("tuneStatus").startsWith(QStringLiteral("Stopped")));
    world->perLayer = std::chrono::milliseconds(1);
    QTest::mouseClick(start(), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return world->tuned == 2 && !panel().running(); }));
    EXPECT_EQ(panel().plot().points().size(), 7u) << "a tuning that goes on tells its whole course again";
}

TEST_F(TuneWindowTest, TheTaskCanBeTriedAtOnceWhereverItLies) {
    finishARun();
    type("tuneData", calibration());
    type("tuneOut", dir.filePath(QStringLiteral("far/away/sea stories")));
    auto* tryable = get<TryPanel>()->findChild<QComboBox*>(QStringLiteral("secondModel"));
    ASSERT_TRUE(waitFor([&] { return tryable->count() == 3; }));  // nothing, the original, the run
    QTest::mouseClick(start(), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return tryable->count() == 4; })) << "nothing else has changed";
    EXPECT_TRUE(tryable->itemText(3).endsWith(QStringLiteral("+ task sea stories"))) << tryable->itemText(3).toStdString();
    // Found beside the run, too, it is still one.
    world->tasks[run().toStdString()] = {dir.filePath(QStringLiteral("far/../far/away/sea stories/task.safetensors")).toStdString()};
    results().setData(results().index(1, 0), QStringLiteral("renamed"));
    ASSERT_TRUE(waitFor([&] { return tryable->itemText(2) == "renamed"; }));
    QTest::qWait(100);
    EXPECT_EQ(tryable->count(), 4);
}

TEST_F(TuneWindowTest, OtherSettingsReplaceWhatTheFolderHoldsAfterAQuestion) {
    finishARun();
    type("tuneData", calibration());
    auto* anew = panel().findChild<QPushButton*>(QStringLiteral("tuneAnew"));
    EXPECT_FALSE(anew->isVisible()) << "there is nothing to replace";
    QTest::mouseClick(start(), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return world->tuned == 1 && !panel().running(); }));
    auto* rate = panel().findChild<QDoubleSpinBox*>();
    rate->setFocus();
    QTest::keyClick(rate, Qt::Key_Up);
    QTest::mouseClick(start(), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return world->tuned == 2 && get<MessageBar>()->isVisible(); }));
    EXPECT_TRUE(get<MessageBar>()->text().contains(QStringLiteral("Begin anew"))) << get<MessageBar>()->text().toStdString();
    EXPECT_FALSE(get<MessageBar>()->text().contains(QStringLiteral("--force")));
    ASSERT_TRUE(anew->isVisible());
    const auto answer = [&](QMessageBox::StandardButton button) {
        QTimer::singleShot(0, [button] {
            if (auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget())) QTest::mouseClick(box->button(button), Qt::LeftButton);
        });
        QTest::mouseClick(anew, Qt::LeftButton);
    };
    answer(QMessageBox::Cancel);
    EXPECT_FALSE(panel().running());
    EXPECT_EQ(world->tuned, 2);
    answer(QMessageBox::Yes);
    ASSERT_TRUE(waitFor([&] { return world->tuned == 3 && !panel().running(); }));
    EXPECT_TRUE(world->lastTune.force);
    EXPECT_FALSE(world->lastTune.resume);
    EXPECT_TRUE(text("tuneStatus").contains(QStringLiteral("5 steps"))) << text("tuneStatus").toStdString();
    QTest::mouseClick(start(), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return world->tuned == 4; }));
    EXPECT_FALSE(world->lastTune.force) << "only where it was asked for";
}

TEST_F(TuneWindowTest, AnOpenedPackedModelWithWeakColumnsCanBeTuned) {
    world->packed = true;
    openModel();
    auto* models = panel().findChild<QComboBox*>();
    ASSERT_TRUE(waitFor([&] { return models->count() == 1; }));
    EXPECT_EQ(panel().request().model, model());
    EXPECT_EQ(panel().request().out, model() + QStringLiteral("-tuned"));
    makeRun();
    ASSERT_TRUE(waitFor([&] { return models->count() == 2; }));
    EXPECT_EQ(panel().request().model, model()) << "what was chosen stays";
}

TEST_F(TuneWindowTest, ItsKeyBringsItToTheFrontAndHidesItThere) {
    openModel();
    QWidget* dock = nullptr;
    for (auto* widget : window->findChildren<QWidget*>(QStringLiteral("tune")))
        if (widget->inherits("QDockWidget")) dock = widget;
    ASSERT_TRUE(dock);
    window->activateWindow();
    ASSERT_TRUE(panel().visibleRegion().isEmpty()) << "behind the other panels of the right side";
    for (const bool visible : {true, false, true}) {
        QTest::keyClick(window.get(), Qt::Key_8, Qt::ControlModifier);
        EXPECT_TRUE(waitFor([&] { return panel().visibleRegion().isEmpty() != visible; })) << visible;
    }
}

TEST(LossPlot, IsEmptyAgainWhenCleared) {
    LossPlot plot;
    plot.resize(300, 200);
    plot.add({1, 3.0, {}});
    plot.add({2, 2.0, {}});
    plot.add({2, 0, 2.5});
    EXPECT_EQ(plot.tableText(), QStringLiteral("step\tloss\tvalidation\n1\t3\t\n2\t2\t\n2\t\t2.5\n"));
    plot.clear();
    EXPECT_TRUE(plot.points().empty());
}

}  // namespace
}  // namespace owq
