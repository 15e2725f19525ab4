// SPDX-License-Identifier: Apache-2.0
// Ways through the window by keys and mouse: to the start page and back, keys that mean one thing, commands by name, layers chosen in other panels.
#include <QAbstractButton>
#include <QAction>
#include <QApplication>
#include <QComboBox>
#include <QFileDialog>
#include <QHash>
#include <QListWidget>
#include <QSet>
#include <QTableView>
#include <QTimer>
#include <QToolButton>
#include <QTreeView>
#include <cmath>

#include "app/workbench/budget_controller.h"
#include "app/workbench/plot_area.h"
#include "tests/app/workbench/window_fixture.h"
#include "widgets/budget/budget_panel.h"
#include "widgets/compare/compare_panel.h"
#include "widgets/jobs/message_bar.h"
#include "widgets/start_page/start_page.h"

namespace owq {
namespace {

class NavigationTest : public MainWindowTest {
protected:
    void analyze() {
        fillPanel();
        press("analyze");
        ASSERT_TRUE(idle());
        ASSERT_TRUE(waitFor([&] { return tree().find(firstLayer())->sensitivity > 0; }));
    }
    void key(int key, Qt::KeyboardModifiers modifiers = {}) { QTest::keyClick(QApplication::focusWidget() ? QApplication::focusWidget() : window.get(), Qt::Key(key), modifiers); }
    Plot& plot() {
        for (Plot* p : get<PlotArea>()->group().plots())
            if (p->kind() == PlotKind::ColumnRange) return *p;
        return *get<PlotArea>()->group().plots().front();
    }
    void focusPlot() {
        ASSERT_TRUE(waitFor([&] { return !plot().content().empty(); }));
        window->activateWindow();  // after a dialog or a popup the platform of the tests leaves none active
        ASSERT_TRUE(QTest::qWaitForWindowActive(window.get()));
        plot().setFocus();
        ASSERT_TRUE(waitFor([&] { return plot().hasFocus(); }));
    }
    /// The title of the modal dialog that the key opens.
    QString asked(int what, Qt::KeyboardModifiers modifiers) {
        QString title;
        QTimer closing;
        QObject::connect(&closing, &QTimer::timeout, [&] {
            if (auto* dialog = qobject_cast<QDialog*>(QApplication::activeModalWidget())) title = dialog->windowTitle(), dialog->reject();
        });
        closing.start(20);
        key(what, modifiers);
        return title;
    }
    QStringList offered(const QString& text) {
        key(Qt::Key_P, Qt::ControlModifier | Qt::ShiftModifier);
        QWidget* palette = nullptr;
        EXPECT_TRUE(waitFor([&] { return (palette = QApplication::activePopupWidget()) != nullptr; }));
        if (!palette) return {};
        QTest::keyClicks(palette->findChild<QLineEdit*>(), text);
        QStringList names;
        const auto* list = palette->findChild<QListWidget*>();
        for (int i = 0; i < list->count(); ++i) names << list->item(i)->text();
        palette->close();
        EXPECT_TRUE(waitFor([&] { return QApplication::activePopupWidget() == nullptr; }));
        return names;
    }
};

TEST_F(NavigationTest, TheStartPageLeadsBackToWhatIsOpen) {
    auto* back = window->findChild<QPushButton*>(QStringLiteral("back"));
    ASSERT_TRUE(back);
    EXPECT_FALSE(back->isVisible()) << "nothing is open";
    key(Qt::Key_Home, Qt::ControlModifier);
    EXPECT_TRUE(get<StartPage>()->isVisible());

    openModel();
    analyze();
    window->budget().edit({firstLayer()}, BudgetTableModel::Field::weakColumns, 22);
    const QString down = QStringLiteral("model.layers.1.mlp.down_proj");
    get<LayerTree>()->select({down});
    const auto asLeft = [&] {
        return get<LayerTree>()->isVisible() && !get<StartPage>()->isVisible() && tree().find(firstLayer())->sensitivity > 0 && tree().find(firstLayer())->weakColumns == 22 &&
               get<LayerTree>()->selectedLayers() == QStringList(down) && window->findChild<QPushButton*>(QStringLiteral("run"))->isEnabled();
    };
    ASSERT_TRUE(waitFor(asLeft));
    const auto leave = [&] {
        get<LayerTree>()->view().setFocus();
        QTest::keyClick(window.get(), Qt::Key_Home, Qt::ControlModifier);
        return waitFor([&] { return get<StartPage>()->isVisible() && back->isVisible() && !get<LayerTree>()->isVisible(); });
    };
    ASSERT_TRUE(leave());
    EXPECT_EQ(back->text(), "Back to model");
    QTest::keyClick(window.get(), Qt::Key_Home, Qt::ControlModifier);
    EXPECT_TRUE(waitFor(asLeft)) << "the same keys lead back";
    ASSERT_TRUE(leave());
    key(Qt::Key_Escape);
    EXPECT_TRUE(waitFor(asLeft));
    ASSERT_TRUE(leave());
    QTest::mouseClick(back, Qt::LeftButton);
    EXPECT_TRUE(waitFor(asLeft));
    QTest::keyClick(window.get(), Qt::Key_Z, Qt::ControlModifier);
    EXPECT_NE(window->budget().draft().state().plan.linears[0].weakColumns, 22) << "what was done can be taken back";
}

TEST_F(NavigationTest, NoKeyMeansTwoThingsAnywhereInTheWindow) {
    openModel();
    for (Plot* p : get<PlotArea>()->group().plots()) p->setTableShown(true);  // their tables have keys, too
    QHash<QString, QSet<const QObject*>> wide;  // whatever has the keyboard
    QHash<const QWidget*, QList<const QAction*>> own;
    QList<QWidget*> widgets = window->findChildren<QWidget*>();
    widgets << window.get();
    for (const QWidget* widget : widgets) {
        if (widget->window() != window.get()) continue;
        for (const QAction* action : widget->actions())
            if (action->shortcutContext() == Qt::WidgetShortcut || action->shortcutContext() == Qt::WidgetWithChildrenShortcut)
                own[widget] << action;
            else if (!action->shortcut().isEmpty())
                wide[action->shortcut().toString()] << action;
        const auto* button = qobject_cast<const QAbstractButton*>(widget);
        if (button && !button->shortcut().isEmpty() && button->shortcut() != QKeySequence::mnemonic(button->text())) wide[button->shortcut().toString()] << button;
    }
    for (auto one = wide.cbegin(); one != wide.cend(); ++one) EXPECT_EQ(one->size(), 1) << one.key().toStdString();
    EXPECT_GE(wide.size(), 40);
    ASSERT_FALSE(own.isEmpty());
    for (auto one = own.cbegin(); one != own.cend(); ++one) {
        QSet<QString> keys;
        const auto check = [&](const QAction* action) {
            const QString key = action->shortcut().toString();
            if (key.isEmpty()) return;
            EXPECT_FALSE(wide.contains(key)) << one.key()->metaObject()->className() << ": " << action->text().toStdString() << ' ' << key.toStdString();
            EXPECT_FALSE(keys.contains(key)) << one.key()->metaObject()->className() << ": " << action->text().toStdString() << ' ' << key.toStdString();
            keys << key;
        };
        for (const QAction* action : *one) check(action);
        for (const QWidget* around = one.key()->parentWidget(); around; around = around->parentWidget())
            for (const QAction* action : own.value(around))
                if (action->shortcutContext() == Qt::WidgetWithChildrenShortcut) check(action);
    }
}

TEST_F(NavigationTest, KeysOfAPlotAndOfTheWindowDoBothWorkInAPlot) {
    openModel();
    focusPlot();
    key(Qt::Key_E, Qt::ControlModifier);
    ASSERT_TRUE(waitFor([&] { return get<MessageBar>()->isVisible(); }));
    EXPECT_TRUE(get<MessageBar>()->text().startsWith("Select one finished run")) << get<MessageBar>()->text().toStdString();
    focusPlot();
    EXPECT_TRUE(asked(Qt::Key_S, Qt::ControlModifier | Qt::ShiftModifier).contains("project"));
    focusPlot();
    EXPECT_EQ(asked(Qt::Key_C, Qt::ControlModifier | Qt::ShiftModifier), "Save visible data");
    focusPlot();
    key(Qt::Key_G, Qt::ControlModifier);
    EXPECT_TRUE(waitFor([&] { return get<FigureDialog>() && get<FigureDialog>()->isVisible(); }));
}

TEST_F(NavigationTest, ThePaletteOffersWhatThePanelsAndThePlotInHandCanDo) {
    openModel();
    get<LayerTree>()->filterBox().setFocus();
    EXPECT_TRUE(offered(QStringLiteral("pin reference")).isEmpty());
    EXPECT_TRUE(offered(QStringLiteral("end comparison")).isEmpty()) << "there is none";
    EXPECT_EQ(offered(QStringLiteral("show run")).size(), 1);
    EXPECT_EQ(offered(QStringLiteral("measured loss")).size(), 1);
    focusPlot();
    EXPECT_EQ(offered(QStringLiteral("pin reference")).size(), 1);
    EXPECT_TRUE(offered(QStringLiteral("visible csv")).join(' ').endsWith("Ctrl+Shift+C"));
}

TEST_F(NavigationTest, ARowOfTheBudgetThatTheFilterHidesIsShownNonetheless) {
    openModel();
    const QString down = QStringLiteral("model.layers.0.mlp.down_proj");
    auto* chip = window->findChild<QToolButton*>(QStringLiteral("chip_q"));
    QTest::mouseClick(chip, Qt::LeftButton);
    ASSERT_TRUE(chip->isChecked());
    QTest::keyClick(window.get(), Qt::Key_3, Qt::ControlModifier);
    QTableView& table = get<BudgetPanel>()->table();
    ASSERT_TRUE(waitFor([&] { return table.isVisible(); }));
    QModelIndex row;
    for (int r = 0; r < table.model()->rowCount(); ++r)
        if (table.model()->index(r, 0).data(BudgetTableModel::nameRole).toString() == down) row = table.model()->index(r, 0);
    ASSERT_TRUE(row.isValid());
    table.scrollTo(row);
    QTest::mouseClick(table.viewport(), Qt::LeftButton, {}, table.visualRect(row).center());
    EXPECT_EQ(get<LayerTree>()->selectedLayers(), QStringList(down));
    EXPECT_EQ(get<BudgetPanel>()->selectedLayers(), QStringList(down));
    EXPECT_FALSE(chip->isChecked());
    EXPECT_TRUE(waitFor([&] { return !get<PlotArea>()->curves().empty() && get<PlotArea>()->curves().front()->name == down; }));
}

TEST_F(NavigationTest, AZoomOfAPersonSurvivesTheCutThatMoves) {
    openModel();
    analyze();
    Plot* sensitivity = nullptr;
    for (Plot* p : get<PlotArea>()->group().plots())
        if (p->kind() == PlotKind::Sensitivity) sensitivity = p;
    ASSERT_TRUE(sensitivity && waitFor([&] { return !sensitivity->content().empty(); }));
    const PlotView home = sensitivity->view();
    const double low = home.yLower * std::pow(home.yUpper / home.yLower, 0.3), high = home.yLower * std::pow(home.yUpper / home.yLower, 0.8);
    const QPoint from = sensitivity->pixelOf(50, high).toPoint(), to = sensitivity->pixelOf(150, low).toPoint();
    QTest::mousePress(sensitivity->canvas(), Qt::LeftButton, {}, from);
    QTest::mouseMove(sensitivity->canvas(), (from + to) / 2);
    QTest::mouseMove(sensitivity->canvas(), to);
    QTest::mouseRelease(sensitivity->canvas(), Qt::LeftButton, {}, to);
    const PlotView zoomed = sensitivity->view();
    ASSERT_LT(zoomed.yUpper, home.yUpper);
    ASSERT_GT(zoomed.yLower, home.yLower);
    bool refreshed = false;
    QObject::connect(sensitivity, &Plot::contentChanged, window.get(), [&] { refreshed = true; });
    sensitivity->setFocus();
    const int weak = window->budget().draft().state().plan.linears[0].weakColumns;
    QTest::keyClick(sensitivity, Qt::Key_BracketRight);
    EXPECT_EQ(window->budget().draft().state().plan.linears[0].weakColumns, weak + 2);
    ASSERT_TRUE(waitFor([&] { return refreshed; }));
    EXPECT_EQ(sensitivity->view(), zoomed);
}

}  // namespace
}  // namespace owq
