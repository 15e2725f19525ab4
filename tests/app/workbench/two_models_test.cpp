// SPDX-License-Identifier: Apache-2.0
// What is looked at while a run is under way: other numbers, another model. Nothing of one model gets into the other.
#include <QComboBox>
#include <QToolButton>

#include "app/workbench/settings.h"
#include "tests/app/workbench/window_fixture.h"
#include "widgets/jobs/message_bar.h"
#include "widgets/try_it/try_panel.h"

namespace owq {
namespace {

class TwoModelsTest : public MainWindowTest {
protected:
    QString other() { return dir.filePath(QStringLiteral("other")); }
    void openOther() {
        QDir(dir.path()).mkpath(QStringLiteral("other"));
        window->open(other());
        ASSERT_TRUE(waitFor([&] { return window->workspace().path() == other(); }));
    }
    void reopen() {
        window->open(model());
        ASSERT_TRUE(waitFor([&] { return window->workspace().path() == model(); }));
    }
    void startRun() {
        world->perLayer = std::chrono::milliseconds(100);
        openModel();
        fillPanel();
        press("run");
        ASSERT_TRUE(waitFor([&] { return window->workspace().shown() == run(); }));
    }
    int done(const QString& run) {
        const std::lock_guard lock(world->mutex);
        return world->runs[run.toStdString()].done;
    }
    bool moreLayers() {
        const int before = done(run());
        return waitFor([&] { return done(run()) >= before + 2; });
    }
    QComboBox& showing() {
        for (QComboBox* box : window->findChildren<QComboBox*>())
            if (box->accessibleName() == QLatin1String("Numbers shown")) return *box;
        throw std::logic_error("no box");
    }
    void choose(Qt::Key key) {
        showing().setFocus();
        QTest::keyClick(&showing(), key);
    }
    QStringList known() { return QSettings().value(QLatin1String(keys::knownRuns)).toStringList(); }
};

TEST_F(TwoModelsTest, AViewChosenDuringARunStaysUntilTheRunIsChosenAgain) {
    startRun();
    choose(Qt::Key_Home);  // the unquantized model
    ASSERT_EQ(window->workspace().shown(), Workspace::kAnalysis);
    ASSERT_TRUE(moreLayers());
    ASSERT_TRUE(window->runner().computing());
    EXPECT_EQ(window->workspace().shown(), Workspace::kAnalysis);
    EXPECT_FALSE(tree().find(firstLayer())->quantized);
    choose(Qt::Key_End);
    EXPECT_EQ(showing().currentText(), "run (under way)");
    EXPECT_EQ(window->workspace().shown(), run());
    ASSERT_TRUE(moreLayers());
    ASSERT_TRUE(waitFor([&] { return tree().find(firstLayer())->quantized; }));
    ASSERT_TRUE(idle());
    EXPECT_TRUE(waitFor([&] { return tree().find(QStringLiteral("model.layers.1.mlp.down_proj"))->quantized; })) << "followed to the end";
    EXPECT_TRUE(waitFor([&] { return results().find(run()) && results().find(run())->finished; }));
    EXPECT_EQ(showing().findText(QStringLiteral("run (under way)")), -1);
}

TEST_F(TwoModelsTest, AViewChosenBeforeTheFirstLayerStays) {
    openModel();
    makeRun();
    ASSERT_TRUE(waitFor([&] { return window->workspace().shown() == run(); }));
    world->perLayer = std::chrono::milliseconds(50);
    const QString second = dir.filePath(QStringLiteral("second"));
    window->findChild<QLineEdit*>(QStringLiteral("runDirectory"))->setText(second);
    press("run");
    choose(Qt::Key_Home);
    ASSERT_EQ(done(second), 0);
    ASSERT_TRUE(idle());
    ASSERT_TRUE(waitFor([&] { return results().find(second) && results().find(second)->finished; }));
    EXPECT_EQ(window->workspace().shown(), Workspace::kAnalysis);
}

TEST_F(TwoModelsTest, ARunStaysWithItsOwnModel) {
    startRun();
    openOther();
    ASSERT_TRUE(window->runner().computing());
    ASSERT_TRUE(idle());
    ASSERT_TRUE(waitFor([&] { return known().contains(run()); }));
    EXPECT_EQ(results().rowCount(), 1) << "the original alone";
    EXPECT_FALSE(tree().find(firstLayer())->quantized);
    EXPECT_EQ(window->workspace().shown(), Workspace::kAnalysis);
    for (const QComboBox* box : get<TryPanel>()->findChildren<QComboBox*>()) EXPECT_EQ(box->findText(QStringLiteral("run")), -1);
    reopen();
    EXPECT_TRUE(waitFor([&] { return results().find(run()) && results().find(run())->finished; }));
}

TEST_F(TwoModelsTest, ACancelledRunIsNotOfferedToAnotherModel) {
    startRun();
    openOther();
    press("cancel");
    ASSERT_TRUE(idle());
    ASSERT_TRUE(waitFor([&] { return known().contains(run()); }));
    EXPECT_FALSE(get<MessageBar>()->isVisible()) << get<MessageBar>()->text().toStdString();
    EXPECT_EQ(results().rowCount(), 1);
    reopen();
    ASSERT_TRUE(waitFor([&] { return results().find(run()) != nullptr; }));
    EXPECT_FALSE(results().find(run())->finished);
}

TEST_F(TwoModelsTest, ARunUnderWayIsWholeWhenItsModelIsOpenedAgain) {
    startRun();
    openOther();
    ASSERT_TRUE(moreLayers());
    reopen();
    ASSERT_TRUE(window->runner().computing());
    EXPECT_EQ(window->workspace().shown(), Workspace::kAnalysis);
    choose(Qt::Key_End);
    EXPECT_EQ(window->workspace().shown(), run());
    EXPECT_TRUE(tree().find(firstLayer())->quantized) << "finished before";
    ASSERT_TRUE(idle());
    EXPECT_TRUE(waitFor([&] { return tree().find(QStringLiteral("model.layers.1.mlp.down_proj"))->quantized; }));
}

TEST_F(TwoModelsTest, ARunThatIsReadWhenAnotherModelComesIsLetGo) {
    openModel();
    makeRun();
    window->workspace().clearSource(run());  // to be read again
    get<ResultsView>()->select(run());
    QDir(dir.path()).mkpath(QStringLiteral("other"));
    window->open(other());
    get<ResultsView>()->pressShow();  // behind it in the queue
    ASSERT_TRUE(waitFor([&] { return window->workspace().path() == other() && !window->workspace().needsRanges(firstLayer()); })) << "read after both";
    EXPECT_FALSE(window->workspace().hasReports(run()));
    EXPECT_EQ(window->workspace().shown(), Workspace::kAnalysis);
    EXPECT_FALSE(tree().find(firstLayer())->quantized);
}

TEST_F(TwoModelsTest, AResumedRunTakesTheThreadsItWasBegunWith) {
    RunSummary begun;
    begun.directory = run().toStdString();
    begun.model = model().toStdString();
    begun.done = 1;
    begun.total = 14;
    const LinearInfo first = world->model().linears.front();
    begun.layerNames.push_back(first.name);
    world->layers[run().toStdString()][first.name] = world->report(first, true);
    world->runs[run().toStdString()] = begun;
    QDir().mkpath(run());
    QFile recipe(run() + QStringLiteral("/recipe.json"));
    ASSERT_TRUE(recipe.open(QIODevice::WriteOnly));
    recipe.write(R"({"threads": 1})");
    recipe.close();
    window->open(run());
    ASSERT_TRUE(waitFor([&] { return get<MessageBar>()->isVisible(); }));
    QTest::mouseClick(get<MessageBar>()->findChild<QToolButton*>(QStringLiteral("messageAction")), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return results().find(run()) && results().find(run())->finished; }));
    EXPECT_TRUE(world->lastQuantize.resume);
    EXPECT_EQ(world->quantizeThreads, 1);
    EXPECT_EQ(world->threads, 0) << "all cores for what comes next";
}

}  // namespace
}  // namespace owq
