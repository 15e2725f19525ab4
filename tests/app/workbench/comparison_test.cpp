// SPDX-License-Identifier: Apache-2.0
// Two runs compared by picking their rows; the divergence columns; cached models; help at the right place.
#include <QCheckBox>
#include <QTableView>
#include <QTextBlock>
#include <QTextBrowser>
#include <QTreeView>

#include "app/workbench/model_cache.h"
#include "app/workbench/plot_area.h"
#include "app/workbench/project_controller.h"
#include "tests/app/workbench/window_fixture.h"
#include "widgets/compare/compare_panel.h"
#include "widgets/help/help_window.h"
#include "widgets/jobs/jobs_view.h"
#include "widgets/plot/plot.h"

namespace owq {
namespace {

class ComparisonTest : public MainWindowTest {
protected:
    QString second() { return run() + QStringLiteral("2"); }
    void runTwice() {
        openModel();
        fillPanel();
        press("run");
        ASSERT_TRUE(idle());
        ASSERT_TRUE(waitFor([&] { return results().find(run()) && results().find(run())->finished; }));
        window->findChild<QLineEdit*>(QStringLiteral("runDirectory"))->setText(second());
        press("run");
        ASSERT_TRUE(idle());
        ASSERT_TRUE(waitFor([&] { return results().find(second()) && results().find(second())->finished; }));
        {
            const std::lock_guard lock(world->mutex);
            for (auto& [name, report] : world->layers[second().toStdString()]) report.error *= 2;
            world->layers[second().toStdString()][firstLayer().toStdString()].error *= 50;
        }
        window->workspace().clearSource(second());  // read again
    }
    void compare() {
        auto& table = get<ResultsView>()->table();
        table.clearSelection();
        QTest::mouseClick(table.viewport(), Qt::LeftButton, {}, table.visualRect(table.model()->index(1, 1)).center());
        QTest::mouseClick(table.viewport(), Qt::LeftButton, Qt::ControlModifier, table.visualRect(table.model()->index(2, 1)).center());
        press("compare");
        ASSERT_TRUE(waitFor([&] { return window->workspace().isComparing(); }));
    }
};

TEST_F(ComparisonTest, AProjectBringsItBackBehindThePanelThatWasInFront) {
    runTwice();
    compare();
    ASSERT_TRUE(waitFor([&] { return get<ComparePanel>()->isVisible(); }));
    get<LayerTree>()->view().sortByColumn(LayerTreeModel::otherErrorColumn, Qt::AscendingOrder);
    QTest::keyClick(window.get(), Qt::Key_4, Qt::ControlModifier);  // Results
    ASSERT_TRUE(waitFor([&] { return !get<ResultsView>()->visibleRegion().isEmpty(); }));
    const QString project = dir.filePath(QStringLiteral("study.owqproject"));
    window->projects().save(project);
    ASSERT_TRUE(waitFor([&] { return window->projects().file() == project; }));
    window->close();
    make();
    window->open(project);
    ASSERT_TRUE(waitFor([&] { return window->workspace().isComparing(); }));
    EXPECT_EQ(window->workspace().comparedWith(), second());
    const LayerLook look = get<LayerTree>()->look();
    EXPECT_EQ(look.sortedBy, "error_b");
    EXPECT_FALSE(look.descending);
    QTest::qWait(50);  // what else comes would come now
    EXPECT_FALSE(get<ResultsView>()->visibleRegion().isEmpty());
    EXPECT_TRUE(get<ComparePanel>()->visibleRegion().isEmpty());
    EXPECT_EQ(get<ComparePanel>()->model().rowCount(), 14);
}

TEST_F(ComparisonTest, TwoRowsGiveCurvesColumnsAndAnOrder) {
    runTwice();
    compare();
    ASSERT_TRUE(waitFor([&] { return get<PlotArea>()->curves().size() == 2; }));
    EXPECT_EQ(get<PlotArea>()->curves()[0]->run, "A");
    EXPECT_EQ(get<PlotArea>()->curves()[1]->run, "B");
    EXPECT_EQ(get<PlotArea>()->curves()[0]->name, get<PlotArea>()->curves()[1]->name);
    EXPECT_TRUE(get<ComparePanel>()->isVisible());
    EXPECT_EQ(get<ComparePanel>()->model().rowCount(), 14);
    QTreeView& view = get<LayerTree>()->view();
    EXPECT_FALSE(view.isColumnHidden(LayerTreeModel::ratioColumn));
    const QModelIndex top = view.model()->index(0, 0, view.model()->index(0, 0));
    EXPECT_EQ(top.data(LayerTreeModel::nameRole).toString(), firstLayer()) << "a hundred times worse: first";
    EXPECT_NEAR(tree().find(firstLayer())->otherError / tree().find(firstLayer())->error, 100, 1e-6);

    QTest::mouseClick(window->findChild<QPushButton*>(QStringLiteral("endComparison")), Qt::LeftButton);
    EXPECT_FALSE(window->workspace().isComparing());
    EXPECT_TRUE(view.isColumnHidden(LayerTreeModel::ratioColumn));
    ASSERT_TRUE(waitFor([&] { return get<PlotArea>()->curves().size() == 1; }));
    EXPECT_EQ(get<ComparePanel>()->model().rowCount(), 0);
}

TEST_F(ComparisonTest, NeedsTwoFinishedRuns) {
    openModel();
    EXPECT_FALSE(window->findChild<QPushButton*>(QStringLiteral("compare"))->isEnabled());
    get<ResultsView>()->select(model());
    EXPECT_FALSE(window->findChild<QPushButton*>(QStringLiteral("compare"))->isEnabled());
}

TEST_F(ComparisonTest, MeasuresTheDivergenceFromTheOriginalOnRequest) {
    runTwice();
    window->findChild<QCheckBox*>(QStringLiteral("divergence"))->setChecked(true);
    window->findChild<QLineEdit*>(QStringLiteral("evaluationText"))->setText(calibration());
    get<ResultsView>()->select(run());
    press("measure");
    ASSERT_TRUE(waitFor([&] { return !results().find(run())->kl.isEmpty(); }));
    ASSERT_TRUE(idle());
    EXPECT_EQ(world->lastEvaluate.against.string(), model().toStdString());
    EXPECT_DOUBLE_EQ(results().find(run())->kl.first(), 0.02);
    EXPECT_DOUBLE_EQ(results().find(run())->top1.first(), 0.9);
    QStringList titles;
    for (int c = ResultsModel::fixedColumns; c < results().columnCount(); ++c) titles << results().headerData(c, Qt::Horizontal).toString();
    EXPECT_EQ(titles.size(), 3);
    EXPECT_TRUE(titles[1].startsWith("KL: text.txt")) << titles[1].toStdString();
}

TEST_F(ComparisonTest, WhatIsMeasuredOfARunLiesInItsFolderAndIsReadFromThere) {
    openModel();
    makeRun();
    const QString text = QStringLiteral("text.txt · 8 × 512");
    window->findChild<QLineEdit*>(QStringLiteral("evaluationText"))->setText(calibration());
    get<ResultsView>()->table().clearSelection();
    press("measure");  // the original, too, which has no such folder
    ASSERT_TRUE(waitFor([&] { return results().find(run())->perplexity.contains(text) && results().find(model())->perplexity.contains(text); }));
    ASSERT_TRUE(idle());
    {
        const std::lock_guard lock(world->mutex);
        ASSERT_EQ(world->evaluations.size(), 1U);
        auto& kept = world->evaluations.at(run().toStdString());
        ASSERT_EQ(kept.size(), 1U);
        EXPECT_EQ(kept[0].title(), "text.txt, 8 x 512") << "as owq compare names it";
        kept[0].perplexity = 46;  // measured again on the command line
        kept.push_back({"other.txt", "c4", "", "dense", 4, 2048, 20.5, 0.03, 0.002, 0.8});
    }
    window.reset();
    make();
    openModel();
    const QString other = QStringLiteral("other.txt · c4 · 4 × 2048");
    ASSERT_TRUE(waitFor([&] { return results().find(run()) && results().find(run())->perplexity.contains(other); }));
    EXPECT_EQ(results().find(run())->perplexity.value(text), 46);
    EXPECT_EQ(results().find(run())->kl.value(other), 0.03);
    EXPECT_EQ(results().find(run())->klError.value(other), 0.002);
    EXPECT_EQ(results().find(run())->top1.value(other), 0.8);
}

TEST_F(ComparisonTest, AMeasurementThatCannotBeKeptInTheFolderIsShownAndSaid) {
    openModel();
    makeRun();
    world->failKeeping = true;
    window->findChild<QLineEdit*>(QStringLiteral("evaluationText"))->setText(calibration());
    get<ResultsView>()->select(run());
    press("measure");
    ASSERT_TRUE(waitFor([&] { return !results().find(run())->perplexity.isEmpty(); }));
    EXPECT_TRUE(get<JobsView>()->messages().join(QLatin1Char('\n')).contains(QStringLiteral("Read-only file system")));
}

TEST_F(ComparisonTest, HelpOpensWhereTheKeyboardIs) {
    openModel();
    get<LayerTree>()->view().setFocus();
    QTest::keyClick(&get<LayerTree>()->view(), Qt::Key_F1);
    ASSERT_TRUE(waitFor([&] { return get<HelpWindow>() != nullptr; }));
    EXPECT_EQ(get<HelpWindow>()->topic(), "window#layers");
    get<ResultsView>()->table().setFocus();
    QTest::keyClick(&get<ResultsView>()->table(), Qt::Key_F1);
    EXPECT_EQ(get<HelpWindow>()->topic(), "window#results-and-comparison");
    for (Plot* plot : get<PlotArea>()->group().plots()) {
        plot->setFocus();
        QTest::keyClick(plot, Qt::Key_F1);
        const QString title = get<HelpWindow>()->findChild<QTextBrowser*>()->textCursor().block().text();
        EXPECT_EQ(title, plot->content().title) << "its own section";
    }
}

TEST(ModelCache, ListsWhatHasAConfigurationAndWeights) {
    QTemporaryDir dir;
    qputenv("HF_HUB_CACHE", dir.path().toUtf8());
    const auto add = [&](const char* repo, std::initializer_list<const char*> files) {
        const QString folder = dir.filePath(QStringLiteral("models--%1/snapshots/abc").arg(QLatin1String(repo)));
        QDir().mkpath(folder);
        for (const char* name : files) EXPECT_TRUE(QFile(folder + QLatin1Char('/') + QLatin1String(name)).open(QIODevice::WriteOnly));
    };
    add("facebook--opt-125m", {"config.json", "model.safetensors"});
    add("some--tokenizer", {"tokenizer.json", "config.json"});
    const QList<CachedModel> found = cachedModels();
    qunsetenv("HF_HUB_CACHE");
    ASSERT_EQ(found.size(), 1);
    EXPECT_EQ(found[0].name, "facebook/opt-125m");
    EXPECT_TRUE(found[0].path.endsWith("snapshots/abc"));
}

}  // namespace
}  // namespace owq
