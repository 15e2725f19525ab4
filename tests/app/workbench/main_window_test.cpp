// SPDX-License-Identifier: Apache-2.0
// The window by real keys and mouse, with made-up jobs behind it.
#include "tests/app/workbench/window_fixture.h"

#include <QAction>
#include <QApplication>
#include <QComboBox>
#include <QCloseEvent>
#include <QDialog>
#include <QDir>
#include <QDockWidget>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QElapsedTimer>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QMessageBox>
#include <QMimeData>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSettings>
#include <QTabBar>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QToolButton>
#include <QUndoStack>
#include <QUrl>
#include <QTreeView>

#include "app/workbench/plot_area.h"
#include "app/workbench/settings.h"
#include "widgets/calibration/calibration_dialog.h"
#include "widgets/export_dialog/export_dialog.h"
#include "widgets/jobs/jobs_view.h"
#include "widgets/layer_tree/layer_tree.h"
#include "widgets/results/results_view.h"
#include "widgets/run_panel/run_panel.h"
#include "widgets/start_page/start_page.h"
#include "widgets/try_it/try_panel.h"

namespace owq {
namespace {

TEST_F(MainWindowTest, OpensWhatIsDroppedAnywhereAndShowsItsLayers) {
    EXPECT_TRUE(get<StartPage>()->isVisible());
    EXPECT_FALSE(get<LayerTree>()->isVisible());
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(model())});
    QDragEnterEvent enter(QPoint(300, 300), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(window.get(), &enter);
    EXPECT_TRUE(enter.isAccepted());
    QDropEvent drop(QPointF(300, 300), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(window.get(), &drop);
    ASSERT_TRUE(waitFor([&] { return get<LayerTree>()->isVisible(); }));
    EXPECT_FALSE(get<StartPage>()->isVisible());
    EXPECT_EQ(tree().linearCount(), 14);
    EXPECT_EQ(tree().rowCount(), 2);
    EXPECT_EQ(get<LayerTree>()->selectedLayers(), QStringList(firstLayer()));
    // Column ranges need no data: the first layer's come by themselves.
    ASSERT_TRUE(waitFor([&] {
        return !get<PlotArea>()->curves().empty() && !get<PlotArea>()->curves().front()->columnMin.empty();
    }));
    EXPECT_EQ(QSettings().value(QLatin1String(keys::recent)).toStringList(), QStringList(model()));
}

TEST_F(MainWindowTest, OpensADropWhoseSourceFallsSilentWhenItLetsGo) {
    QMimeData data, silent;
    data.setUrls({QUrl::fromLocalFile(model())});
    QDragEnterEvent enter(QPoint(300, 300), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(window.get(), &enter);
    QDropEvent drop(QPointF(300, 300), Qt::CopyAction, &silent, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(window.get(), &drop);
    EXPECT_TRUE(waitFor([&] { return get<LayerTree>()->isVisible(); }));
}

TEST_F(MainWindowTest, SuggestsARunDirectoryThatFollowsTheSettings) {
    openModel();
    auto* out = window->findChild<QLineEdit*>(QStringLiteral("runDirectory"));
    EXPECT_TRUE(out->text().endsWith("model owq 3.05")) << out->text().toStdString();
    QTest::mouseClick(window->findChild<QToolButton*>(QStringLiteral("method_rtn")), Qt::LeftButton);
    EXPECT_TRUE(out->text().endsWith("model rtn 3")) << out->text().toStdString();
    out->setText(run());
    QTest::mouseClick(window->findChild<QToolButton*>(QStringLiteral("method_owq")), Qt::LeftButton);
    EXPECT_EQ(out->text(), run()) << "a name of one's own stays";
}

TEST_F(MainWindowTest, TellsWhyAFileCannotBeOpenedAndWhatToDo) {
    window->open(dir.filePath(QStringLiteral("nothing")));
    ASSERT_TRUE(waitFor([&] { return get<MessageBar>()->isVisible(); }));
    EXPECT_TRUE(get<MessageBar>()->text().contains("there is no such file or folder"));
    EXPECT_TRUE(get<MessageBar>()->text().contains("Check the path"));
    EXPECT_TRUE(get<StartPage>()->isVisible());
    EXPECT_FALSE(window->workspace().isOpen());
}

TEST_F(MainWindowTest, ShowsTheWindowsThatACalibrationDraws) {
    openModel();
    fillPanel();
    QTest::mouseClick(get<RunPanel>()->findChild<QPushButton*>(QStringLiteral("calibrationWindows")), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return get<CalibrationDialog>() != nullptr && get<CalibrationDialog>()->isVisible(); }));
    CalibrationDialog& dialog = *get<CalibrationDialog>();
    const QString summary = dialog.findChild<QLabel*>(QStringLiteral("summary"))->text();
    EXPECT_TRUE(summary.contains("512 tokens") && summary.contains("1.5 %") && summary.contains("the first 3")) << summary.toStdString();
    const auto labels = dialog.findChildren<QLabel*>();
    EXPECT_TRUE(std::any_of(labels.begin(), labels.end(), [](QLabel* l) { return l->text().contains("windows overlap"); }));
    auto* list = dialog.findChild<QListWidget*>();
    EXPECT_EQ(list->count(), 3);
    QTest::keyClick(list, Qt::Key_Down);
    EXPECT_EQ(dialog.findChild<QPlainTextEdit*>(QStringLiteral("windowText"))->toPlainText(), "window 1 of a text");
    QTest::keyClick(&dialog, Qt::Key_Escape);
    EXPECT_TRUE(waitFor([&] { return get<CalibrationDialog>() == nullptr; }));
}

TEST_F(MainWindowTest, AnalyzesRunsMeasuresAndExports) {
    openModel();
    fillPanel();
    press("analyze");
    ASSERT_TRUE(idle());
    ASSERT_TRUE(
        waitFor([&] { return tree().find(firstLayer()) && tree().find(firstLayer())->sensitivity > 0; }));
    EXPECT_FALSE(tree().find(firstLayer())->quantized);
    EXPECT_EQ(tree().find(firstLayer())->bits, 3) << "as planned";
    ASSERT_TRUE(waitFor([&] {
        return !get<PlotArea>()->curves().empty() &&
               !get<PlotArea>()->curves().front()->hessianDiagonal.empty();
    }));
    EXPECT_FALSE(get<PlotArea>()->curves().front()->measured);

    press("run");
    ASSERT_TRUE(idle());
    ASSERT_TRUE(waitFor([&] { return results().find(run()) && results().find(run())->finished; }));
    EXPECT_EQ(world->lastQuantize.recipe.method, Method::owq);
    EXPECT_DOUBLE_EQ(world->lastQuantize.recipe.targetBits, 3.05) << "the default for a model this small";
    EXPECT_EQ(world->lastQuantize.calibration.text.string(), calibration().toStdString());
    ASSERT_TRUE(waitFor([&] { return tree().find(firstLayer())->quantized; }));
    EXPECT_EQ(tree().find(firstLayer())->bits, 3);
    EXPECT_EQ(window->workspace().shown(), run());
    EXPECT_DOUBLE_EQ(results().find(run())->paperBits, 3.05);

    auto* text = window->findChild<QLineEdit*>(QStringLiteral("evaluationText"));
    text->selectAll();
    QTest::keyClicks(text, calibration());
    get<ResultsView>()->table().clearSelection();
    press("measure");
    ASSERT_TRUE(waitFor([&] { return world->evaluated == 2; }));  // the original and the run
    ASSERT_TRUE(idle());
    EXPECT_EQ(results().find(run())->perplexity.values(), QList<double>({47.5}));
    EXPECT_EQ(results().find(model())->perplexity.values(), QList<double>({45.75}));

    get<ResultsView>()->select(run());
    press("export");
    ASSERT_TRUE(waitFor([&] { return get<ExportDialog>() != nullptr; }));
    QTest::mouseClick(get<ExportDialog>()->findChild<QPushButton*>(QStringLiteral("go")), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return world->exported == 1; }));
    ASSERT_TRUE(idle());
    QStringList texts;
    for (QLabel* label : get<ExportDialog>()->findChildren<QLabel*>()) texts << label->text();
    EXPECT_TRUE(texts.join(' ').contains("42 linears reloaded"));
    EXPECT_EQ(world->lastExport.run.string(), run().toStdString());
}

TEST_F(MainWindowTest, StaysAliveWhileItRunsAndCancelsWithinASecond) {
    world->perLayer = std::chrono::milliseconds(100);
    openModel();
    fillPanel();
    press("run");
    ASSERT_TRUE(waitFor(
        [&] { return tree().find(firstLayer())->quantized; }));  // finished layers fill the tree meanwhile
    EXPECT_TRUE(window->runner().computing());
    // Another model can be looked at meanwhile: reading does not wait for computing.
    const int before = world->inspected;
    get<LayerTree>()->select({QStringLiteral("model.layers.1.mlp.down_proj")});
    EXPECT_TRUE(waitFor([&] { return world->inspected > before; }));
    EXPECT_TRUE(window->runner().computing());
    press("cancel");
    QElapsedTimer clock;
    clock.start();
    ASSERT_TRUE(idle());
    EXPECT_LT(clock.elapsed(), 1000);

    // The unfinished run is offered for resuming, which then ends it.
    ASSERT_TRUE(waitFor([&] { return get<MessageBar>()->isVisible(); }));
    EXPECT_TRUE(get<MessageBar>()->text().contains("layers finished"));
    EXPECT_FALSE(results().find(run())->finished);
    world->perLayer = std::chrono::milliseconds(1);
    QTest::mouseClick(get<MessageBar>()->findChild<QToolButton*>(QStringLiteral("messageAction")),
                      Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return results().find(run())->finished; }));
    EXPECT_TRUE(world->lastQuantize.resume);
    EXPECT_EQ(results().rowCount(), 2);
}

TEST_F(MainWindowTest, ShowsTheAnalysisOfLayersThatARunHasNotReached) {
    const QString last = QStringLiteral("model.layers.1.mlp.down_proj");
    openModel();
    fillPanel();
    press("analyze");
    ASSERT_TRUE(idle());
    world->perLayer = std::chrono::milliseconds(100);
    press("run");
    ASSERT_TRUE(waitFor([&] { return tree().find(firstLayer())->quantized; }));
    const Workspace& workspace = window->workspace();
    EXPECT_EQ(workspace.shown(), run());
    EXPECT_TRUE(workspace.curves(firstLayer())->measured);
    get<LayerTree>()->select({last});
    ASSERT_TRUE(waitFor([&] { return get<PlotArea>()->curves().size() == 1 && get<PlotArea>()->curves().front()->name == last; }));
    EXPECT_FALSE(tree().find(last)->quantized);
    EXPECT_FALSE(get<PlotArea>()->curves().front()->measured);
    EXPECT_FALSE(get<PlotArea>()->curves().front()->hessianDiagonal.empty());
    int known = 0;
    for (const LayerCurvesPtr& curves : workspace.allCurves()()) known += !curves->hessianDiagonal.empty() && !curves->measured;
    EXPECT_EQ(known, 0) << "a figure of the run has only what is the run's";
    EXPECT_TRUE(window->runner().computing());
    world->perLayer = std::chrono::milliseconds(1);
    ASSERT_TRUE(waitFor([&] { return get<PlotArea>()->curves().front()->measured; })) << "and its own when it comes";
    ASSERT_TRUE(idle());
}

TEST_F(MainWindowTest, ShowsAFailureOfARunWithPlaceAndRemedy) {
    world->failQuantize = true;
    openModel();
    fillPanel();
    QTest::keyClick(window.get(), Qt::Key_F5);
    ASSERT_TRUE(waitFor(
        [&] { return get<JobsView>()->messages().join('\n').contains("Look at the calibration text"); }));
    EXPECT_TRUE(get<JobsView>()->messages().join('\n').contains("model.layers.0.self_attn.o_proj"));
}

TEST_F(MainWindowTest, OpensAnUnfinishedRunWithItsLayersAndOffersToGoOn) {
    RunSummary unfinished;
    unfinished.directory = run().toStdString();
    unfinished.model = model().toStdString();
    unfinished.done = 2;
    unfinished.total = 14;
    const ModelInfo info = world->model();
    for (int i : {0, 1}) {
        unfinished.layerNames.push_back(info.linears[size_t(i)].name);
        world->layers[run().toStdString()][info.linears[size_t(i)].name] =
            world->report(info.linears[size_t(i)], true);
    }
    world->runs[run().toStdString()] = unfinished;
    QDir().mkpath(run());
    QFile recipe(run() + QStringLiteral("/recipe.json"));
    ASSERT_TRUE(recipe.open(QIODevice::WriteOnly));
    window->open(run());
    ASSERT_TRUE(waitFor([&] { return get<MessageBar>()->isVisible(); }));
    EXPECT_TRUE(get<MessageBar>()->text().startsWith("2 of 14 layers finished."));
    EXPECT_EQ(window->workspace().path(), model());
    ASSERT_TRUE(waitFor([&] { return tree().find(firstLayer())->quantized; }));
    EXPECT_FALSE(tree().find(QStringLiteral("model.layers.1.mlp.down_proj"))->quantized);
    EXPECT_FALSE(results().find(run())->finished);
}

TEST_F(MainWindowTest, RemembersRunsNamesAndPerplexitiesOfAModel) {
    openModel();
    fillPanel();
    press("run");
    ASSERT_TRUE(idle());
    ASSERT_TRUE(waitFor([&] { return results().rowCount() == 2 && results().find(run())->finished; }));
    ASSERT_TRUE(results().setData(results().index(1, 0), QStringLiteral("mine")));
    auto* text = window->findChild<QLineEdit*>(QStringLiteral("evaluationText"));
    text->setText(calibration());
    get<ResultsView>()->select(run());
    press("measure");
    ASSERT_TRUE(waitFor([&] { return world->evaluated == 1; }));
    ASSERT_TRUE(idle());
    window->close();
    make();
    openModel();
    ASSERT_TRUE(waitFor([&] { return results().find(run()) != nullptr; }));
    EXPECT_EQ(results().find(run())->name, "mine");
    EXPECT_EQ(results().find(run())->perplexity.values(), QList<double>({47.5}));
}

TEST_F(MainWindowTest, AsksBeforeClosingDuringARun) {
    world->perLayer = std::chrono::milliseconds(200);
    openModel();
    fillPanel();
    press("run");
    const auto answer = [&](QMessageBox::StandardButton button) {
        QTimer::singleShot(0, [button] {
            auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget());
            ASSERT_TRUE(box);
            box->button(button)->click();
        });
    };
    answer(QMessageBox::Cancel);
    EXPECT_FALSE(window->close());
    EXPECT_TRUE(window->runner().computing());
    answer(QMessageBox::Close);
    QElapsedTimer clock;
    clock.start();
    EXPECT_TRUE(window->close());
    EXPECT_LT(clock.elapsed(), 1500);
    EXPECT_FALSE(window->runner().computing());
}

TEST_F(MainWindowTest, EveryActionHasTextTipAndAKeyOfItsOwn) {
    QStringList shortcuts;
    QMainWindow holder;
    QUndoStack undo;
    const Actions actions(holder, undo);
    for (const QAction* action : actions.all()) {
        EXPECT_FALSE(action->text().isEmpty());
        EXPECT_FALSE(action->toolTip().isEmpty()) << action->text().toStdString();
        const QString shortcut = action->shortcut().toString();
        EXPECT_FALSE(shortcut.isEmpty()) << action->text().toStdString();
        EXPECT_FALSE(shortcuts.contains(shortcut)) << shortcut.toStdString();
        shortcuts << shortcut;
    }
    EXPECT_GE(shortcuts.size(), 14);
}

TEST_F(MainWindowTest, NamesEveryControlForScreenReaders) {
    openModel();
    for (QWidget* widget : window->findChildren<QWidget*>()) {
        if (widget->focusPolicy() == Qt::NoFocus || !widget->isVisible() ||
            widget->objectName().startsWith("qt_"))
            continue;
        const bool own = qobject_cast<QLineEdit*>(widget) || qobject_cast<QTreeView*>(widget) ||
                         qobject_cast<QTableView*>(widget);
        if (!own || qobject_cast<QAbstractSpinBox*>(widget->parentWidget()) ||
            qobject_cast<QComboBox*>(widget->parentWidget()))
            continue;
        EXPECT_FALSE(widget->accessibleName().isEmpty())
            << widget->metaObject()->className() << ' ' << widget->objectName().toStdString();
    }
}

TEST_F(MainWindowTest, PutsPanelsBackAndFindsCommandsByName) {
    openModel();
    auto* layers = window->findChild<QDockWidget*>(QStringLiteral("layers"));
    layers->close();
    EXPECT_FALSE(layers->isVisible());
    QTest::keyClick(window.get(), Qt::Key_P, Qt::ControlModifier | Qt::ShiftModifier);
    QWidget* palette = nullptr;
    ASSERT_TRUE(waitFor([&] { return (palette = QApplication::activePopupWidget()) != nullptr; }));
    auto* edit = palette->findChild<QLineEdit*>();
    QTest::keyClicks(edit, QStringLiteral("layout reset"));
    ASSERT_EQ(palette->findChild<QListWidget*>()->count(), 1);
    QTest::keyClick(edit, Qt::Key_Return);
    EXPECT_TRUE(waitFor([&] { return layers->isVisible(); }));
}

TEST_F(MainWindowTest, AClickedTabOrAKeyTakesTheKeyboardIntoThePanel) {
    openModel();
    auto* tryIt = get<TryPanel>();
    auto* results = get<ResultsView>();
    const auto inside = [](QWidget* panel) { return panel->isVisible() && panel->isAncestorOf(QApplication::focusWidget()); };
    const auto dockOf = [](QWidget* panel) {
        while (panel && !qobject_cast<QDockWidget*>(panel)) panel = panel->parentWidget();
        return qobject_cast<QDockWidget*>(panel);
    };
    get<LayerTree>()->filterBox().setFocus();
    dockOf(tryIt)->toggleViewAction()->trigger();  // as its key does
    EXPECT_TRUE(waitFor([&] { return inside(tryIt); }));
    bool clicked = false;
    for (QTabBar* bar : window->findChildren<QTabBar*>())
        for (int i = 0; i < bar->count(); ++i)
            if (bar->isVisible() && bar->tabText(i) == dockOf(results)->windowTitle()) {
                QTest::mouseClick(bar, Qt::LeftButton, {}, bar->tabRect(i).center());
                clicked = true;
            }
    ASSERT_TRUE(clicked);
    EXPECT_TRUE(waitFor([&] { return inside(results); })) << (QApplication::focusWidget() ? QApplication::focusWidget()->metaObject()->className() : "none");
}

TEST_F(MainWindowTest, AsksQuestionsAndRemembersTheShareOfRightAnswers) {
    openModel();
    const QString questions = dir.filePath(QStringLiteral("own.jsonl"));
    auto* text = window->findChild<QLineEdit*>(QStringLiteral("evaluationText"));
    text->selectAll();
    QTest::keyClicks(text, questions);
    auto* protocol = window->findChild<QComboBox*>(QStringLiteral("protocol"));
    protocol->setFocus();
    QTest::keyClick(protocol, Qt::Key_End);
    press("measure");
    ASSERT_TRUE(waitFor([&] { return !results().rows().empty() && !results().rows()[0].accuracy.isEmpty(); }));
    EXPECT_EQ(world->questioned, 1);
    EXPECT_EQ(world->evaluated, 0);
    EXPECT_EQ(world->lastAsked.tasks.at(0).string(), questions.toStdString());
    EXPECT_EQ(world->lastAsked.shots.limit, 32) << "the number in the box";
    EXPECT_EQ(results().rows()[0].accuracy.value(QStringLiteral("own.jsonl · 2 shots · at most 32")), 0.75);
    window.reset();
    make();
    openModel();
    ASSERT_TRUE(waitFor([&] { return !results().rows().empty(); }));
    EXPECT_EQ(results().rows()[0].accuracy.size(), 1);
}

}  // namespace
}  // namespace owq
