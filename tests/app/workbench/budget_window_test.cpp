// SPDX-License-Identifier: Apache-2.0
// The budget in the window: the cut dragged with the mouse, the table by keys, undo, files, and the run that uses it.
#include <QAction>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QSignalSpy>
#include <QTableView>

#include "app/workbench/budget_controller.h"
#include "app/workbench/plot_area.h"
#include "tests/app/workbench/window_fixture.h"
#include "widgets/budget/budget_panel.h"
#include "widgets/jobs/jobs_view.h"
#include "widgets/plot/plot.h"

namespace owq {
namespace {

class BudgetWindowTest : public MainWindowTest {
protected:
    void analyze() {
        openModel();
        fillPanel();
        press("analyze");
        ASSERT_TRUE(idle());
        ASSERT_TRUE(waitFor([&] { return plot(PlotKind::Sensitivity).content().blocks.size() == 1; }));
        ASSERT_TRUE(waitFor([&] { return window->budget().draft().knowsAll(); }));
    }
    Plot& plot(PlotKind kind) {
        for (Plot* p : get<PlotArea>()->group().plots())
            if (p->kind() == kind) return *p;
        throw std::logic_error("no such plot");
    }
    int weak(const QString& layer) { return int(window->budget().draft().state().plan.find(layer.toStdString())->weakColumns); }
    int weak() { return weak(firstLayer()); }
    void drag(Plot& p, QPointF from, QPointF to) {
        QWidget* canvas = p.canvas();
        QTest::mouseMove(canvas, from.toPoint());
        QTest::mousePress(canvas, Qt::LeftButton, {}, from.toPoint());
        for (int i = 1; i <= 8; ++i) QTest::mouseMove(canvas, (from + (to - from) * i / 8).toPoint());
        QTest::mouseRelease(canvas, Qt::LeftButton, {}, to.toPoint());
    }
    QAction* action(const QString& text) {
        for (QAction* a : window->findChildren<QAction*>())
            if (a->text().remove(QLatin1Char('&')).startsWith(text)) return a;
        return nullptr;
    }
};

TEST_F(BudgetWindowTest, DraggingTheCutOfTheCumulativeErrorChangesEverythingAtOnce) {
    analyze();
    Plot& error = plot(PlotKind::CumulativeError);
    const int before = weak();
    const std::string totalsBefore = window->findChild<QLabel*>(QStringLiteral("storedBits"))->text().toStdString();
    const double y = (error.view().yLower + error.view().yUpper) / 2;
    drag(error, error.pixelOf(256 - before - 0.5, y), error.pixelOf(256 - 40 - 0.5, y));
    EXPECT_NEAR(weak(), 40, 2);
    const int now = weak();
    EXPECT_EQ(get<BudgetPanel>()->model().find(firstLayer())->weakColumns, now);
    EXPECT_TRUE(get<BudgetPanel>()->model().find(firstLayer())->locked);
    EXPECT_NE(window->findChild<QLabel*>(QStringLiteral("storedBits"))->text().toStdString(), totalsBefore);
    for (const PlotKind kind : {PlotKind::Sensitivity, PlotKind::HessianDiagonal, PlotKind::ColumnRange, PlotKind::CumulativeError})
        EXPECT_EQ(plot(kind).content().blocks.front().weakCount, now) << int(kind);
    ASSERT_TRUE(waitFor([&] { return tree().find(firstLayer())->weakColumns == now; }));
    ASSERT_TRUE(waitFor([&] { return int(get<PlotArea>()->curves().front()->weakColumns.size()) == now; })) << "figures show it, too";

    QTest::keyClick(window.get(), Qt::Key_Z, Qt::ControlModifier);
    EXPECT_EQ(weak(), before) << "the whole drag is one step";
    EXPECT_FALSE(window->budget().draft().state().edited);
    QTest::keyClick(window.get(), Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
    EXPECT_EQ(weak(), now);
}

TEST_F(BudgetWindowTest, TheCutOfTheSensitivityByIndexIsDraggedUpAndDown) {
    analyze();
    Plot& plot = this->plot(PlotKind::Sensitivity);
    ASSERT_EQ(plot.content().xMode, XMode::Index);
    ASSERT_TRUE(plot.content().blocks.front().cut);
    const double x = 128, cut = *plot.content().blocks.front().cut;
    std::vector<float> sorted = get<PlotArea>()->curves().front()->sensitivity;
    std::sort(sorted.rbegin(), sorted.rend());
    const double wanted = std::sqrt(double(sorted[29]) * double(sorted[30]));
    drag(plot, plot.pixelOf(x, cut), plot.pixelOf(x, wanted));
    EXPECT_NEAR(weak(), 30, 4);
    const double up = plot.view().yUpper * 0.9;
    drag(plot, plot.pixelOf(x, *plot.content().blocks.front().cut), plot.pixelOf(x, up));
    EXPECT_EQ(weak(), 0);
    ASSERT_TRUE(waitFor([&] { return get<PlotArea>()->curves().front()->weakColumns.empty(); }));
    EXPECT_TRUE(plot.content().blocks.front().cut) << "it can still be taken";
}

TEST_F(BudgetWindowTest, KeysMoveTheCutAndPressesInARowAreOneStep) {
    analyze();
    const int before = weak();
    Plot& plot = this->plot(PlotKind::Sensitivity);
    plot.setFocus();
    for (int i = 0; i < 3; ++i) QTest::keyClick(&plot, Qt::Key_BracketRight);
    EXPECT_EQ(weak(), before + 6);
    QTest::keyClick(&plot, Qt::Key_BracketLeft);
    EXPECT_EQ(weak(), before + 4);
}

TEST_F(BudgetWindowTest, ARunTakesTheEditedPlanAndOnlyThat) {
    openModel();
    fillPanel();
    press("run");
    ASSERT_TRUE(idle());
    EXPECT_FALSE(world->lastQuantize.plan) << "nothing was edited: the recipe is enough";
    auto* table = window->findChild<QTableView*>(QStringLiteral("budgetTable"));
    const auto cell = [&](int column) { return table->model()->index(0, column); };
    table->model()->setData(cell(BudgetTableModel::bitsColumn), 4);
    table->model()->setData(table->model()->index(1, BudgetTableModel::bitsColumn), BudgetRow::kKept);
    auto* out = window->findChild<QLineEdit*>(QStringLiteral("runDirectory"));
    out->setText(run() + QStringLiteral("2"));
    press("run");
    ASSERT_TRUE(idle());
    ASSERT_TRUE(world->lastQuantize.plan);
    EXPECT_EQ(world->lastQuantize.plan->linears[0].bits, 4);
    EXPECT_EQ(world->lastQuantize.plan->linears[1].bits, 16);
    EXPECT_EQ(world->lastQuantize.plan->linears[1].weakColumns, 0);
}

TEST_F(BudgetWindowTest, SettingsOfBothPanelsAreTheSameAndUndoable) {
    openModel();
    QTest::qWait(1);  // until then settings are what is suggested for the model, not a person's
    auto* mine = window->findChild<QDoubleSpinBox*>(QStringLiteral("budgetTarget"));
    auto* other = window->findChild<QDoubleSpinBox*>(QStringLiteral("targetBits"));
    EXPECT_DOUBLE_EQ(mine->value(), other->value());
    const double before = mine->value();
    other->setValue(3.5);
    EXPECT_DOUBLE_EQ(mine->value(), 3.5);
    EXPECT_DOUBLE_EQ(window->budget().draft().state().choice.targetBits, 3.5);
    mine->setValue(3.25);
    EXPECT_DOUBLE_EQ(other->value(), 3.25);
    QTest::keyClick(window.get(), Qt::Key_Z, Qt::ControlModifier);
    EXPECT_DOUBLE_EQ(other->value(), before);
    EXPECT_DOUBLE_EQ(mine->value(), before);
}

TEST_F(BudgetWindowTest, ExportsWhatItImportsAndRefusesADamagedFile) {
    analyze();
    window->budget().edit({firstLayer()}, BudgetTableModel::Field::weakColumns, 22);
    const QString file = dir.filePath(QStringLiteral("budget.json"));
    ASSERT_TRUE(window->budget().writeFile(file));
    QTest::keyClick(window.get(), Qt::Key_Z, Qt::ControlModifier);
    ASSERT_NE(weak(), 22);
    ASSERT_TRUE(window->budget().readFile(file));
    EXPECT_EQ(weak(), 22);
    QFile damaged(file);
    ASSERT_TRUE(damaged.open(QIODevice::WriteOnly));
    damaged.write("{\"schema\": 1, \"linears\": [{\"name\": \"nothing\", \"bits\": 3}]}");
    damaged.close();
    EXPECT_FALSE(window->budget().readFile(file));
    EXPECT_EQ(weak(), 22);
    EXPECT_TRUE(get<JobsView>()->messages().join('\n').contains("the model has no linear \"nothing\""));
}

TEST_F(BudgetWindowTest, ARunThatIsShownKeepsItsFactsButForTheCutThatIsMoved) {
    openModel();
    fillPanel();
    press("run");
    ASSERT_TRUE(idle());
    ASSERT_TRUE(waitFor([&] { return tree().find(firstLayer())->quantized; }));
    ASSERT_TRUE(waitFor([&] { return get<PlotArea>()->curves().front()->measured; }));
    ASSERT_EQ(get<PlotArea>()->curves().front()->weakColumns.size(), 4u);
    window->budget().moveCut(firstLayer(), 20, true);
    ASSERT_TRUE(waitFor([&] { return get<PlotArea>()->curves().front()->weakColumns.size() == 20; }));
    EXPECT_EQ(tree().find(firstLayer())->weakColumns, 4) << "what the run kept";
    window->workspace().show(Workspace::kAnalysis);
    EXPECT_EQ(tree().find(firstLayer())->weakColumns, 20);
    window->workspace().show(run());
    ASSERT_TRUE(waitFor([&] { return get<PlotArea>()->curves().front()->weakColumns.size() == 4; }));
}

TEST_F(BudgetWindowTest, MeasuredAllocationIsAJobThatKeepsLockedLinears) {
    openModel();
    fillPanel();
    window->budget().edit({firstLayer()}, BudgetTableModel::Field::weakColumns, 30);
    window->budget().allocate(BudgetPanel::Allocation::measured);
    ASSERT_TRUE(idle());
    ASSERT_TRUE(waitFor([&] { return weak(QStringLiteral("model.layers.1.mlp.down_proj")) == 12; }));
    EXPECT_EQ(weak(), 30);
    EXPECT_TRUE(world->lastQuantize.dryRun);
    EXPECT_EQ(world->lastQuantize.recipe.allocation, "greedy");
}

}  // namespace
}  // namespace owq
