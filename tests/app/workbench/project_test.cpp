// SPDX-License-Identifier: Apache-2.0
// Projects: as text, damaged ones, and the whole window saved and brought back.
#include "app/workbench/project.h"

#include <gmock/gmock.h>

#include <QAction>
#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QDockWidget>
#include <QFileDialog>
#include <QHeaderView>
#include <QMessageBox>
#include <QSpinBox>
#include <QTableView>
#include <QTimer>
#include <QToolButton>
#include <QTreeView>
#include <map>

#include "app/workbench/budget_controller.h"
#include "app/workbench/plot_area.h"
#include "app/workbench/project_controller.h"
#include "tests/app/workbench/window_fixture.h"
#include "widgets/jobs/jobs_view.h"
#include "widgets/jobs/message_bar.h"
#include "widgets/plot/plot.h"
#include "widgets/run_panel/run_panel.h"
#include "widgets/try_it/try_panel.h"
#include "widgets/tune/tune_panel.h"

namespace owq {
namespace {

using ::testing::HasSubstr;

Project sample() {
    Project p;
    p.model = {QStringLiteral("/models/a b"), QStringLiteral("ff")};
    p.shown = QStringLiteral("/runs/1");
    p.selection = {QStringLiteral("x"), QStringLiteral("y")};
    p.column = 12;
    p.views["hessian"] = {{0.5, 99.5, 1e-3, 1e3}, 42};
    p.look.layers = {QStringLiteral("q_"), true, {QStringLiteral("q")}, QStringLiteral("bits"), true, QList<int>{1}, {{QStringLiteral("kind"), 40}, {QStringLiteral("name"), 90}}};
    p.look.plots = {false, {QStringLiteral("sensitivity")}, {{300, 200}, {1, 2}}};
    p.look.tables["results"] = {3, true};
    p.look.tryIt.prompt = QStringLiteral("Once\"");
    p.look.tryIt.secondChosen = true;
    p.look.tryIt.second = {{}, QStringLiteral("/runs/1"), QStringLiteral("/tasks/sea.safetensors")};
    p.look.tryIt.temperature = 0.25;
    p.look.tune.data = QStringLiteral("/texts/sea.txt");
    p.look.tune.learningRate = 2e-4;
    p.settings.preset = QStringLiteral("best");
    p.settings.refinePasses = 7;
    p.runs.push_back({{QStringLiteral("/runs/1"), {}}, QStringLiteral("mine"), QStringLiteral("a note"), {}});
    p.runs.back().measured.perplexity = {{QStringLiteral("t.txt"), 12.5}};
    p.runs.back().measured.klError = {{QStringLiteral("t.txt"), 0.5}};
    p.runs.back().measured.details = {{QStringLiteral("t.txt"), QStringLiteral("two\nlines")}};
    p.measure.task = QStringLiteral("/tasks/sea.safetensors");
    p.measure.shots = 3;
    p.measure.examples = QStringLiteral("/tasks/dev.jsonl");
    p.layout = QByteArray("\x01\x02\xff", 3);
    return p;
}

TEST(Project, GoesThroughTextUnchangedAndInAStableOrder) {
    const Project read = projectFromJson(parseJson(toJson(sample()).dump(), "p"), "p");
    EXPECT_EQ(toJson(read).dump(), toJson(sample()).dump());
    EXPECT_EQ(read.layout, sample().layout);
    EXPECT_EQ(read.settings.refinePasses, 7);
    EXPECT_EQ(read.runs[0].measured.perplexity, sample().runs[0].measured.perplexity);
    EXPECT_EQ(read.runs[0].measured.klError, sample().runs[0].measured.klError);
    EXPECT_EQ(read.runs[0].measured.details, sample().runs[0].measured.details);
    EXPECT_EQ(read.measure, sample().measure);
    EXPECT_EQ(read.views.at("hessian").reference, 42);
    EXPECT_EQ(read.look.layers, sample().look.layers);
    EXPECT_EQ(read.look.plots, sample().look.plots);
    EXPECT_EQ(read.look.tables, sample().look.tables);
    EXPECT_EQ(read.look.tryIt.prompt, sample().look.tryIt.prompt);
    EXPECT_EQ(read.look.tryIt.second, sample().look.tryIt.second);
    EXPECT_EQ(read.look.tryIt.temperature, 0.25);
    EXPECT_EQ(read.look.tune.data, sample().look.tune.data);
    EXPECT_EQ(read.look.tune.learningRate, 2e-4);
    EXPECT_EQ(toJson(sample()).begin().key(), "owq_project");
}

/// As the version before wrote it.
Json asBefore(Json j) {
    for (const char* key : {"layers", "tables", "try_it", "tune"}) j.erase(key);
    for (const char* key : {"zoom_together", "as_table", "sizes"}) j["plots"].erase(key);
    for (auto& [plot, view] : j["plots"]["views"].items()) view.erase("reference");
    return j;
}

TEST(Project, OneOfAnEarlierVersionIsReadAndKeysOfALaterOneAreLeftOut) {
    const Project read = projectFromJson(asBefore(toJson(sample())), "p");
    EXPECT_EQ(read.selection, sample().selection);
    EXPECT_EQ(read.views.at("hessian").range.xUpper, 99.5);
    EXPECT_EQ(read.views.at("hessian").reference, -1);
    EXPECT_EQ(read.look.layers, LayerLook());
    EXPECT_EQ(read.look.plots, PlotsLook());
    EXPECT_TRUE(read.look.tables.empty());
    EXPECT_EQ(read.look.tryIt.topP, TryPanel::Request().topP);
    EXPECT_FALSE(read.look.tryIt.secondChosen);
    EXPECT_EQ(read.look.tune.epochs, TunePanel::Request().epochs);
    Json later = toJson(sample());
    later["later"] = 1;
    later["layers"]["later"] = later["plots"]["later"] = {2};
    EXPECT_EQ(toJson(projectFromJson(later, "p")).dump(), toJson(sample()).dump());
}

TEST(Project, ADamagedOneIsRefusedWithPlaceAndRemedy) {
    const auto refusal = [](const std::function<void(Json&)>& damage) -> std::string {
        Json j = toJson(sample());
        damage(j);
        try {
            projectFromJson(j, "my.owqproject");
        } catch (const Error& e) {
            EXPECT_EQ(e.where(), "my.owqproject");
            return e.what();
        }
        return "taken";
    };
    EXPECT_THAT(refusal([](Json& j) { j.erase("owq_project"); }), HasSubstr("no project"));
    EXPECT_THAT(refusal([](Json& j) { j["owq_project"] = 99; }), HasSubstr("another version"));
    EXPECT_THAT(refusal([](Json& j) { j["model"] = Json::object(); }), HasSubstr("names no model"));
    EXPECT_THAT(refusal([](Json& j) { j["plots"]["views"]["hessian"]["x"] = {1}; }), HasSubstr("hessian"));
    EXPECT_THAT(refusal([](Json& j) { j["settings"]["bits"] = "three"; }), HasSubstr("bits"));
    EXPECT_THAT(refusal([](Json& j) { j["results"] = 5; }), HasSubstr("results"));
    EXPECT_THAT(refusal([](Json& j) { j["selection"] = {1, 2}; }), HasSubstr("selection"));
    EXPECT_THAT(refusal([](Json& j) { j["plots"]["views"]["hessian"]["reference"] = "here"; }), HasSubstr("reference"));
    EXPECT_THAT(refusal([](Json& j) { j["plots"]["sizes"] = {5}; }), HasSubstr("sizes"));
    EXPECT_THAT(refusal([](Json& j) { j["plots"]["sizes"] = {{1 << 30, 5}}; }), HasSubstr("sizes"));
    EXPECT_THAT(refusal([](Json& j) { j["plots"]["as_table"] = {5}; }), HasSubstr("as_table"));
    EXPECT_THAT(refusal([](Json& j) { j["layers"] = 5; }), HasSubstr("layers"));
    EXPECT_THAT(refusal([](Json& j) { j["layers"]["regex"] = "yes"; }), HasSubstr("regex"));
    EXPECT_THAT(refusal([](Json& j) { j["layers"]["expanded"] = {-1}; }), HasSubstr("expanded"));
    EXPECT_THAT(refusal([](Json& j) { j["layers"]["columns"]["name"] = 1.5; }), HasSubstr("columns"));
    EXPECT_THAT(refusal([](Json& j) { j["tables"]["results"] = 3; }), HasSubstr("results"));
    EXPECT_THAT(refusal([](Json& j) { j["try_it"]["temperature"] = "hot"; }), HasSubstr("temperature"));
    EXPECT_THAT(refusal([](Json& j) { j["tune"]["epochs"] = 1.5; }), HasSubstr("epochs"));
}

TEST(Project, TheFingerprintChangesWithTheModel) {
    QTemporaryDir dir;
    const auto write = [&](const char* name, const char* text) {
        QFile file(dir.filePath(QLatin1String(name)));
        EXPECT_TRUE(file.open(QIODevice::WriteOnly));
        file.write(text);
    };
    write("config.json", "{}");
    write("model.safetensors", "abc");
    const QString before = fingerprint(dir.path());
    EXPECT_EQ(before.size(), 64);
    EXPECT_EQ(fingerprint(dir.path()), before);
    write("config.json", "{ }");
    EXPECT_NE(fingerprint(dir.path()), before);
    EXPECT_TRUE(fingerprint(QStringLiteral("/nowhere")).isEmpty());
}

class ProjectWindowTest : public MainWindowTest {
protected:
    QString file() { return dir.filePath(QStringLiteral("study.owqproject")); }
    Plot& first() { return *get<PlotArea>()->group().plots().front(); }
    void save() {
        window->projects().save(file());
        ASSERT_TRUE(waitFor([&] { return window->projects().file() == file(); }));
    }
};

TEST_F(ProjectWindowTest, BringsEverythingBack) {
    openModel();
    fillPanel();
    press("run");
    ASSERT_TRUE(idle());
    ASSERT_TRUE(waitFor([&] { return results().find(run()) && results().find(run())->finished; }));
    results().setData(results().index(1, ResultsModel::nameColumn), QStringLiteral("mine"));
    results().setData(results().index(1, ResultsModel::noteColumn), QStringLiteral("with the new text"));
    Measurements measured;
    measured.perplexity.insert(QStringLiteral("text.txt"), 47.5);
    results().add(run(), measured);
    window->budget().edit({firstLayer()}, BudgetTableModel::Field::weakColumns, 22);
    const QString layer = QStringLiteral("model.layers.1.mlp.down_proj");
    get<LayerTree>()->select({layer});
    ASSERT_TRUE(waitFor([&] { return !get<PlotArea>()->curves().empty() && get<PlotArea>()->curves().front()->name == layer; }));
    first().zoomTo({100, 200, 1, 1000});
    const PlotView view = first().view();
    get<PlotArea>()->group().selectColumn(17);
    save();

    window->close();
    QSettings().clear();  // the file is enough
    make();
    window->open(file());
    ASSERT_TRUE(waitFor([&] { return window->projects().file() == file(); }));
    EXPECT_EQ(window->workspace().path(), model());
    ASSERT_TRUE(waitFor([&] { return results().find(run()) && results().find(run())->finished; }));
    EXPECT_EQ(results().find(run())->name, "mine");
    EXPECT_EQ(results().find(run())->note, "with the new text");
    EXPECT_DOUBLE_EQ(results().find(run())->perplexity.value(QStringLiteral("text.txt")), 47.5);
    EXPECT_EQ(window->budget().draft().state().plan.linears[0].weakColumns, 22);
    EXPECT_TRUE(window->budget().draft().state().edited);
    EXPECT_EQ(get<LayerTree>()->selectedLayers(), QStringList(layer));
    EXPECT_EQ(get<PlotArea>()->group().selectedColumn(), 17);
    ASSERT_TRUE(waitFor([&] { return window->workspace().shown() == run(); }));
    ASSERT_TRUE(waitFor([&] { return std::abs(first().view().xLower - view.xLower) < 1e-9 && std::abs(first().view().yUpper - view.yUpper) < 1e-9; }));
    EXPECT_EQ(QSettings().value(QStringLiteral("open/recent")).toStringList().first(), file());
}

TEST_F(ProjectWindowTest, BringsBackHowItWasLookedAt) {
    openModel();
    makeRun();
    const QString layer = QStringLiteral("model.layers.1.self_attn.k_proj");
    const auto chip = [&](const char* kind) { return get<LayerTree>()->findChild<QToolButton*>(QStringLiteral("chip_") + QLatin1String(kind)); };
    const auto regex = [&] {
        for (auto* button : get<LayerTree>()->findChildren<QToolButton*>())
            if (button->text() == ".*") return button;
        return static_cast<QToolButton*>(nullptr);
    };
    const auto plot = [&](PlotKind kind) {
        for (Plot* p : get<PlotArea>()->group().plots())
            if (p->kind() == kind) return p;
        return static_cast<Plot*>(nullptr);
    };
    const auto visibleRows = [&] {
        const QAbstractItemModel& shown = *get<LayerTree>()->view().model();
        return shown.rowCount(shown.index(shown.rowCount() - 1, 0));
    };
    QTreeView& tree = get<LayerTree>()->view();
    get<LayerTree>()->filterBox().setText(QStringLiteral("[qkv]_pr"));
    regex()->click();
    chip("k")->click();
    chip("v")->click();
    tree.sortByColumn(LayerTreeModel::sensitivityColumn, Qt::DescendingOrder);
    tree.header()->moveSection(tree.header()->visualIndex(LayerTreeModel::weakColumn), 1);
    tree.header()->resizeSection(LayerTreeModel::nameColumn, 171);
    get<LayerTree>()->select({layer});
    ASSERT_TRUE(waitFor([&] { return !get<PlotArea>()->curves().empty() && get<PlotArea>()->curves().front()->name == layer && !first().content().empty(); }));
    const int collapsed = get<LayerTree>()->model().indexOf(firstLayer()).parent().row();
    LayerLook look = get<LayerTree>()->look();
    look.expanded->removeOne(collapsed);
    get<LayerTree>()->setLook(look);
    ASSERT_EQ(get<LayerTree>()->selectedLayers(), QStringList(layer));

    get<PlotArea>()->setXModeName(QStringLiteral("rank"));
    get<PlotArea>()->setErrorShare(true);
    get<PlotArea>()->findChild<QCheckBox*>()->click();  // Zoom together
    std::map<PlotKind, PlotView> views;
    for (Plot* p : get<PlotArea>()->group().plots()) {
        const PlotView all = p->view();
        p->zoomTo({10.0 + int(p->kind()), 90.0 + int(p->kind()), all.yLower, all.yUpper});
        views[p->kind()] = p->view();
    }
    first().setReference(23);
    plot(PlotKind::Sensitivity)->setTableShown(true);
    get<ResultsView>()->table().sortByColumn(ResultsModel::noteColumn, Qt::DescendingOrder);
    window->findChild<QTableView*>(QStringLiteral("compareTable"))->sortByColumn(1, Qt::DescendingOrder);
    TryPanel::Request asked = get<TryPanel>()->request();
    asked.prompt = QStringLiteral("It was the best of times");
    asked.maxTokens = 11;
    asked.temperature = 0.3;
    asked.topP = 0.55;
    asked.seed = 5;
    asked.first = {QString(), run(), QString()};
    asked.secondChosen = true;
    asked.second = {QString(), model(), QString()};
    asked.blind = true;
    get<TryPanel>()->setRequest(asked);
    ASSERT_TRUE(waitFor([&] { return get<TryPanel>()->request().first.model == run() && get<TunePanel>()->request().model == run(); }));
    TunePanel::Request tune = get<TunePanel>()->request();
    tune.data = calibration();
    tune.epochs = 7;
    tune.learningRate = 5e-4;
    tune.out = dir.filePath(QStringLiteral("elsewhere"));
    get<TunePanel>()->setRequest(tune);
    RunSettings settings = get<RunPanel>()->settings();
    settings.samples = 77;
    settings.seed = 9;
    settings.damping = 0.02;
    get<RunPanel>()->setSettings(settings);
    window->findChild<QDockWidget*>(QStringLiteral("try"))->raise();
    ASSERT_TRUE(waitFor([&] { return !get<TryPanel>()->visibleRegion().isEmpty(); }));
    const int rows = visibleRows();
    save();
    const PlotsLook plots = get<PlotArea>()->look();

    window->close();
    QSettings().clear();
    make();
    window->open(file());
    ASSERT_TRUE(waitFor([&] { return window->projects().file() == file() && window->workspace().shown() == run(); }));
    ASSERT_TRUE(waitFor([&] { return results().find(run()) && results().find(run())->finished; }));
    EXPECT_EQ(get<LayerTree>()->filterBox().text(), "[qkv]_pr");
    EXPECT_TRUE(regex()->isChecked());
    EXPECT_TRUE(chip("k")->isChecked() && chip("v")->isChecked() && !chip("q")->isChecked());
    EXPECT_EQ(visibleRows(), rows);
    EXPECT_EQ(rows, 2) << "filtered, not only written there";
    EXPECT_EQ(get<LayerTree>()->look(), look);
    EXPECT_EQ(get<LayerTree>()->view().header()->sortIndicatorSection(), LayerTreeModel::sensitivityColumn);
    EXPECT_EQ(get<LayerTree>()->view().header()->visualIndex(LayerTreeModel::weakColumn), 1);
    EXPECT_EQ(get<LayerTree>()->view().columnWidth(LayerTreeModel::nameColumn), 171);
    EXPECT_EQ(get<LayerTree>()->selectedLayers(), QStringList(layer));
    EXPECT_EQ(get<PlotArea>()->xModeName(), "rank");
    EXPECT_TRUE(get<PlotArea>()->errorShare());
    EXPECT_EQ(get<PlotArea>()->look(), plots);
    EXPECT_FALSE(plots.zoomTogether);
    for (const auto& [kind, view] : views) {
        ASSERT_TRUE(waitFor([&] { return plot(kind)->view() == view; })) << int(kind);
        EXPECT_EQ(plot(kind)->reference(), 23) << int(kind);
    }
    EXPECT_TRUE(plot(PlotKind::Sensitivity)->isTableShown());
    ASSERT_TRUE(plot(PlotKind::Sensitivity)->findChild<QTableView*>());
    EXPECT_TRUE(plot(PlotKind::Sensitivity)->findChild<QTableView*>()->isVisible()) << "once there are numbers";
    EXPECT_EQ(get<ResultsView>()->table().horizontalHeader()->sortIndicatorSection(), ResultsModel::noteColumn);
    EXPECT_EQ(window->findChild<QTableView*>(QStringLiteral("compareTable"))->horizontalHeader()->sortIndicatorOrder(), Qt::DescendingOrder);
    ASSERT_TRUE(waitFor([&] { return get<TryPanel>()->request().first.model == run(); })) << "when it has been read";
    const TryPanel::Request now = get<TryPanel>()->request();
    EXPECT_EQ(now.second.model, model());
    EXPECT_EQ(now.prompt, asked.prompt);
    EXPECT_EQ(now.maxTokens, 11);
    EXPECT_DOUBLE_EQ(now.temperature, 0.3);
    EXPECT_DOUBLE_EQ(now.topP, 0.55);
    EXPECT_EQ(now.seed, 5u);
    EXPECT_TRUE(now.blind);
    EXPECT_EQ(get<TunePanel>()->request().data, calibration());
    EXPECT_EQ(get<TunePanel>()->request().epochs, 7);
    EXPECT_DOUBLE_EQ(get<TunePanel>()->request().learningRate, 5e-4);
    EXPECT_EQ(get<TunePanel>()->request().out, tune.out);
    ASSERT_TRUE(waitFor([&] { return get<TunePanel>()->request().model == run(); }));
    EXPECT_EQ(get<RunPanel>()->settings(), settings);
    EXPECT_FALSE(get<TryPanel>()->visibleRegion().isEmpty()) << "in front";
    EXPECT_TRUE(get<ResultsView>()->visibleRegion().isEmpty());
    EXPECT_FALSE(window->isWindowModified());
}

TEST_F(ProjectWindowTest, PlotsInOtherOrdersHavePinsOfTheirOwn) {
    openModel();
    makeRun();
    ASSERT_TRUE(waitFor([&] { return !first().content().empty(); }));
    std::map<PlotKind, int> pins;
    const auto plots = [&] { return get<PlotArea>()->group().plots(); };
    for (Plot* plot : plots()) plot->setReference(plot->content().xMode == XMode::Index ? 23 : 41);
    for (Plot* plot : plots()) pins[plot->kind()] = plot->reference();
    ASSERT_EQ(pins[PlotKind::HessianDiagonal], 23);
    ASSERT_EQ(pins[PlotKind::CumulativeError], 41) << "has no order by index";
    save();
    window->close();
    make();
    window->open(file());
    ASSERT_TRUE(waitFor([&] { return window->workspace().isOpen() && window->workspace().shown() == run() && !first().content().empty(); }));
    for (Plot* plot : plots()) EXPECT_TRUE(waitFor([&] { return plot->reference() == pins[plot->kind()]; })) << int(plot->kind());
}

TEST_F(ProjectWindowTest, OneOfAnEarlierVersionOpens) {
    openModel();
    makeRun();
    save();
    writeJson(file().toStdString(), asBefore(readJson(file().toStdString())));
    window->close();
    make();
    window->open(file());
    ASSERT_TRUE(waitFor([&] { return window->projects().file() == file() && window->workspace().shown() == run(); }));
    EXPECT_FALSE(get<MessageBar>()->isVisible());
    EXPECT_EQ(get<LayerTree>()->look().sortedBy, "name");
    EXPECT_TRUE(get<PlotArea>()->look().zoomTogether);
    EXPECT_EQ(get<TryPanel>()->request().topP, 0.9);
    EXPECT_EQ(first().reference(), -1);
}

TEST_F(ProjectWindowTest, ItsRangesAreKeptForItsOwnNumbersThoughAnotherModelIsOpen) {
    openModel();
    makeRun();
    ASSERT_TRUE(waitFor([&] { return !first().content().empty() && get<PlotArea>()->curves().front()->measured; }));
    first().zoomTo({100, 200, 1, 1000});
    const PlotView view = first().view();
    save();
    QDir(dir.path()).mkpath(QStringLiteral("other"));
    window->open(dir.filePath(QStringLiteral("other")));
    ASSERT_TRUE(waitFor([&] { return window->workspace().title() == "other" && first().content().empty(); })) << "a new model begins with nothing";
    press("analyze");  // its layers have the same names and curves to show
    ASSERT_TRUE(idle());
    ASSERT_TRUE(waitFor([&] { return !first().content().empty(); }));
    EXPECT_LT(first().view().xLower, 0) << "nor with the zoom of the former";
    window->open(file());
    ASSERT_TRUE(waitFor([&] { return window->projects().file() == file() && window->workspace().shown() == run(); }));
    ASSERT_TRUE(waitFor([&] { return !first().content().empty() && first().view() == view; }));
    QTest::qWait(100);  // ranges that come later change nothing
    EXPECT_EQ(first().view(), view);
}

TEST_F(ProjectWindowTest, TellsThatAnInputHasChanged) {
    openModel();
    save();
    QFile config(model() + QStringLiteral("/config.json"));
    ASSERT_TRUE(config.open(QIODevice::WriteOnly));
    config.write("{}");
    config.close();
    window->close();
    make();
    window->open(file());
    ASSERT_TRUE(waitFor([&] { return get<MessageBar>()->isVisible(); }));
    EXPECT_TRUE(get<MessageBar>()->text().contains("not as they were")) << get<MessageBar>()->text().toStdString();
}

TEST_F(ProjectWindowTest, ADamagedFileGivesOneClearMessageAndChangesNothing) {
    openModel();
    QFile damaged(file());
    ASSERT_TRUE(damaged.open(QIODevice::WriteOnly));
    damaged.write("{\"owq_project\": 1, \"model\": ");
    damaged.close();
    window->open(file());
    ASSERT_TRUE(waitFor([&] { return get<MessageBar>()->isVisible(); }));
    EXPECT_TRUE(get<MessageBar>()->text().contains("The project cannot be opened")) << get<MessageBar>()->text().toStdString();
    EXPECT_EQ(get<JobsView>()->messages().filter(QStringLiteral("project")).size(), 1);
    EXPECT_EQ(window->workspace().path(), model());
}

class ModifiedTest : public ProjectWindowTest {
protected:
    /// Presses this button of the next question, in its own time.
    void answer(QMessageBox::StandardButton button) {
        auto* poll = new QTimer(window.get());
        QObject::connect(poll, &QTimer::timeout, poll, [this, poll, button] {
            auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget());
            if (!box) return;
            poll->deleteLater();
            asked << box->text();
            box->button(button)->click();
        });
        poll->start(5);
    }
    bool marked(bool expected) {
        return waitFor([&] { return window->isWindowModified() == expected; }) && window->projects().isModified() == expected;
    }
    void trigger(const QString& text) {
        for (QAction* a : window->findChildren<QAction*>())
            if (a->text().remove(QLatin1Char('&')) == text) return a->trigger();
        FAIL() << text.toStdString();
    }
    QByteArray bytes() {
        QFile f(file());
        EXPECT_TRUE(f.open(QIODevice::ReadOnly));
        return f.readAll();
    }
    void look() {
        get<LayerTree>()->select({QStringLiteral("model.layers.1.mlp.down_proj")});
        ASSERT_TRUE(waitFor([&] { return !first().content().empty(); }));
        first().zoomTo({10, 20, 1, 1000});
        get<PlotArea>()->group().selectColumn(3);
        window->resize(1300, 850);
        QTest::qWait(300);  // a marker that comes late would be there by now
    }
    QStringList asked;
};

TEST_F(ModifiedTest, LookingAsksNothing) {
    openModel();
    makeRun();
    look();
    EXPECT_FALSE(window->isWindowModified()) << "the run is in its folder";
    save();
    ASSERT_TRUE(marked(false));
    EXPECT_TRUE(window->close());
    make();
    window->open(file());
    ASSERT_TRUE(waitFor([&] { return window->projects().file() == file() && window->workspace().shown() == run(); }));
    look();
    EXPECT_TRUE(marked(false));
    EXPECT_TRUE(window->close());
}

TEST_F(ModifiedTest, AnEditedBudgetIsAskedForUnlessAFileHasIt) {
    openModel();
    const auto edit = [&](int weak) { window->budget().edit({firstLayer()}, BudgetTableModel::Field::weakColumns, weak); };
    edit(22);
    ASSERT_TRUE(marked(true));
    EXPECT_TRUE(window->windowTitle().contains(QStringLiteral("[*]")));
    answer(QMessageBox::Cancel);
    EXPECT_FALSE(window->close());
    ASSERT_EQ(asked.size(), 1);
    EXPECT_TRUE(asked[0].contains("budget")) << asked[0].toStdString();
    window->activateWindow();
    ASSERT_TRUE(QTest::qWaitForWindowActive(window.get()));
    QTest::keyClick(window.get(), Qt::Key_Z, Qt::ControlModifier);
    EXPECT_TRUE(marked(false)) << "taken back";
    QTest::keyClick(window.get(), Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
    EXPECT_TRUE(marked(true));
    ASSERT_TRUE(window->budget().writeFile(dir.filePath(QStringLiteral("budget.json"))));
    EXPECT_TRUE(marked(false)) << "the file has it";
    edit(24);
    EXPECT_TRUE(marked(true));
    answer(QMessageBox::Discard);
    EXPECT_TRUE(window->close());
    EXPECT_EQ(asked.size(), 2);
}

TEST_F(ModifiedTest, AChangedProjectIsSavedOnTheWayOut) {
    openModel();
    makeRun();
    save();
    ASSERT_TRUE(marked(false));
    ASSERT_TRUE(results().setData(results().index(1, ResultsModel::noteColumn), QStringLiteral("a new note")));
    ASSERT_TRUE(marked(true));
    answer(QMessageBox::Save);
    EXPECT_FALSE(window->close()) << "not before it is written";
    ASSERT_TRUE(waitFor([&] { return !window->isVisible(); }));
    EXPECT_TRUE(bytes().contains("a new note"));
    EXPECT_TRUE(asked.first().contains("study.owqproject")) << asked.first().toStdString();
}

TEST_F(ModifiedTest, SettingsAndMeasurementsCount) {
    openModel();
    makeRun();
    save();
    RunSettings settings = get<RunPanel>()->settings();
    settings.samples += 1;
    get<RunPanel>()->setSettings(settings);
    EXPECT_TRUE(marked(true));
    settings.samples -= 1;
    get<RunPanel>()->setSettings(settings);
    EXPECT_TRUE(marked(false)) << "as it was saved";
    auto* text = window->findChild<QLineEdit*>(QStringLiteral("evaluationText"));
    text->setText(calibration());
    EXPECT_TRUE(marked(true));
    window->projects().save(file());
    ASSERT_TRUE(marked(false));
    get<ResultsView>()->select(run());
    press("measure");
    ASSERT_TRUE(waitFor([&] { return world->evaluated == 1; }));
    ASSERT_TRUE(idle());
    EXPECT_TRUE(marked(true));
    answer(QMessageBox::Discard);
    EXPECT_TRUE(window->close());
}

TEST_F(ModifiedTest, SaveAsDoesNotReplaceAProjectWhoseSuffixWasNotTyped) {
    openModel();
    QFile other(file());
    ASSERT_TRUE(other.open(QIODevice::WriteOnly));
    other.write("another's");
    other.close();
    const auto saveAs = [&](QMessageBox::StandardButton button) {
        QTimer::singleShot(0, window.get(), [&, button] {
            auto* dialog = qobject_cast<QFileDialog*>(QApplication::activeModalWidget());
            ASSERT_TRUE(dialog);
            auto* name = dialog->findChild<QLineEdit*>();
            name->setText(dir.filePath(QStringLiteral("study")));
            answer(button);
            QTest::keyClick(name, Qt::Key_Return);
        });
        trigger(QStringLiteral("Save project as…"));
    };
    saveAs(QMessageBox::Cancel);
    QTest::qWait(50);  // a file that is written after all would be by now
    EXPECT_EQ(bytes(), "another's");
    EXPECT_TRUE(window->projects().file().isEmpty());
    saveAs(QMessageBox::Save);
    ASSERT_TRUE(waitFor([&] { return window->projects().file() == file(); }));
    EXPECT_NE(bytes(), "another's");
    EXPECT_EQ(asked.size(), 2);
}

}  // namespace
}  // namespace owq
