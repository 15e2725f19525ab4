// SPDX-License-Identifier: Apache-2.0
// Projects: as text, damaged ones, and the whole window saved and brought back.
#include "app/workbench/project.h"

#include <gmock/gmock.h>

#include <QComboBox>
#include <QSpinBox>

#include "app/workbench/budget_controller.h"
#include "app/workbench/plot_area.h"
#include "app/workbench/project_controller.h"
#include "tests/app/workbench/window_fixture.h"
#include "widgets/jobs/jobs_view.h"
#include "widgets/jobs/message_bar.h"
#include "widgets/plot/plot.h"
#include "widgets/run_panel/run_panel.h"

namespace owq {
namespace {

using ::testing::HasSubstr;

Project sample() {
    Project p;
    p.model = {QStringLiteral("/models/a b"), QStringLiteral("ff")};
    p.shown = QStringLiteral("/runs/1");
    p.selection = {QStringLiteral("x"), QStringLiteral("y")};
    p.column = 12;
    p.views["hessian"] = {0.5, 99.5, 1e-3, 1e3};
    p.settings.preset = QStringLiteral("best");
    p.settings.refinePasses = 7;
    p.runs.push_back({{QStringLiteral("/runs/1"), {}}, QStringLiteral("mine"), QStringLiteral("a note"), {{QStringLiteral("t.txt"), 12.5}}, {}, {}});
    p.layout = QByteArray("\x01\x02\xff", 3);
    return p;
}

TEST(Project, GoesThroughTextUnchangedAndInAStableOrder) {
    const Project read = projectFromJson(parseJson(toJson(sample()).dump(), "p"), "p");
    EXPECT_EQ(toJson(read).dump(), toJson(sample()).dump());
    EXPECT_EQ(read.layout, sample().layout);
    EXPECT_EQ(read.settings.refinePasses, 7);
    EXPECT_EQ(read.runs[0].perplexity, sample().runs[0].perplexity);
    EXPECT_EQ(toJson(sample()).begin().key(), "owq_project");
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
    results().setPerplexity(run(), QStringLiteral("text.txt"), 47.5);
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

}  // namespace
}  // namespace owq
