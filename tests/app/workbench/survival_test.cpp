// SPDX-License-Identifier: Apache-2.0
// What goes wrong around the window, which goes on and says so once: closing during a run, a model that is deleted, a full disk, two windows on one run.
#include <QApplication>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QMessageBox>
#include <QPointer>
#include <QTimer>
#include <QToolButton>

#include "app/workbench/plot_area.h"
#include "app/workbench/project_controller.h"
#include "app/workbench/try_controller.h"
#include "tests/app/workbench/full_disk.h"
#include "tests/app/workbench/window_fixture.h"
#include "widgets/figure/figure_dialog.h"
#include "widgets/jobs/jobs_view.h"
#include "widgets/jobs/message_bar.h"

namespace owq {
namespace {

class SurvivalTest : public MainWindowTest {
protected:
    QString bar() { return get<MessageBar>()->isVisible() ? get<MessageBar>()->text() : QString(); }
    int told(const QString& text) { return int(get<JobsView>()->messages().filter(text).size()); }
    QString file(const char* name) { return dir.filePath(QLatin1String(name)); }
};

TEST_F(SurvivalTest, ARunThatWasClosedGoesOnInTheNextWindow) {
    world->perLayer = std::chrono::milliseconds(50);
    openModel();
    fillPanel();
    press("run");
    ASSERT_TRUE(waitFor([&] { return tree().find(firstLayer())->quantized; }));
    QTimer::singleShot(0, [] {
        auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget());
        ASSERT_TRUE(box);
        box->button(QMessageBox::Close)->click();
    });
    EXPECT_TRUE(window->close());
    world->perLayer = std::chrono::milliseconds(1);
    make();
    window->open(run());
    ASSERT_TRUE(waitFor([&] { return bar().contains("of 14 layers finished"); })) << bar().toStdString();
    EXPECT_FALSE(bar().startsWith("0 of"));
    QTest::mouseClick(get<MessageBar>()->findChild<QToolButton*>(QStringLiteral("messageAction")), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return results().find(run()) && results().find(run())->finished; }));
    EXPECT_TRUE(world->lastQuantize.resume);
}

TEST_F(SurvivalTest, AModelDeletedWhileItIsOpenIsToldOnce) {
    openModel();
    ASSERT_TRUE(waitFor([&] { return !window->workspace().needsRanges(firstLayer()); }));
    ASSERT_TRUE(QDir(model()).removeRecursively());
    const int before = world->inspected;
    QStringList block;
    for (const LinearInfo& l : world->model().linears)
        if (l.block == 1) block << QString::fromStdString(l.name);
    get<LayerTree>()->select(block);
    ASSERT_TRUE(waitFor([&] { return world->inspected >= before + 7 && !bar().isEmpty(); }));
    EXPECT_TRUE(bar().contains("The model is not there any more") && bar().contains(model())) << bar().toStdString();
    QTest::qWait(50);  // what else comes would come now
    EXPECT_EQ(told(QStringLiteral("not there any more")), 1);
    EXPECT_EQ(told(QStringLiteral("no such file")), 0);
    // What was read before stays, and once the model is back its layers are read.
    get<LayerTree>()->select({firstLayer()});
    ASSERT_TRUE(waitFor([&] { return get<PlotArea>()->curves().size() == 1 && !get<PlotArea>()->curves().front()->columnMin.empty(); }));
    QDir().mkpath(model());
    get<LayerTree>()->select({block.first()});
    EXPECT_TRUE(waitFor([&] { return !window->workspace().needsRanges(block.first()); }));
}

TEST_F(SurvivalTest, AFullDiskLeavesNoPieceOfAFigure) {
    openModel();
    makeRun();
    ASSERT_TRUE(waitFor([&] { return !get<PlotArea>()->curves().empty() && get<PlotArea>()->curves().front()->measured; })) << "all plots show it";
    QTest::keyClick(window.get(), Qt::Key_E, Qt::ControlModifier | Qt::ShiftModifier);
    ASSERT_TRUE(waitFor([&] { return get<FigureDialog>() != nullptr; }));
    const QPointer<FigureDialog> opened = get<FigureDialog>();
    ASSERT_TRUE(waitFor([&] { return !opened->isBusy(); }));
    FigureDialog& dialog = *opened;
    QTemporaryDir out;
    dialog.setDestination(out.filePath(QStringLiteral("fig")));
    {
        const FullDisk full(2000);
        dialog.accept();
        ASSERT_TRUE(waitFor([&] { return !dialog.isBusy(); }));
    }
    EXPECT_TRUE(dialog.isVisible());
    const QString text = dialog.findChild<QLabel*>(QStringLiteral("message"))->text();
    EXPECT_TRUE(text.contains("Cannot write") && text.contains("fig-hessian-0-q_proj.pdf") && text.contains("File too large") && text.contains("make room")) << text.toStdString();
    EXPECT_TRUE(QDir(out.path()).isEmpty()) << QDir(out.path()).entryList().join(' ').toStdString();
    dialog.accept();
    ASSERT_TRUE(waitFor([&] { return !opened; }));
    EXPECT_EQ(QDir(out.path()).entryList(QDir::Files).size(), 10) << "with room it works";
}

TEST_F(SurvivalTest, AFullDiskKeepsTheProjectThatWasThere) {
    openModel();
    const QString project = file("study.owqproject");
    window->projects().save(project);
    ASSERT_TRUE(waitFor([&] { return window->projects().file() == project; }));
    const auto bytes = [&] {
        QFile f(project);
        EXPECT_TRUE(f.open(QIODevice::ReadOnly));
        return f.readAll();
    };
    const QByteArray was = bytes();
    const QStringList files = QDir(dir.path()).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot);
    {
        const FullDisk full(100);
        window->projects().save(project);
        ASSERT_TRUE(waitFor([&] { return bar().contains("study.owqproject"); })) << bar().toStdString();
    }
    EXPECT_EQ(bytes(), was);
    EXPECT_EQ(QDir(dir.path()).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot), files);
}

TEST_F(SurvivalTest, ASecondWindowOnARunningRunIsToldAndTheFirstGoesOn) {
    world->perLayer = std::chrono::milliseconds(300);
    openModel();
    fillPanel();
    press("run");
    ASSERT_TRUE(waitFor([&] { return tree().find(firstLayer())->quantized; }));
    const std::unique_ptr<MainWindow> first = std::move(window);
    make();
    openModel();
    fillPanel();
    press("run");
    ASSERT_TRUE(waitFor([&] { return bar().contains("in use by another running program"); })) << bar().toStdString();
    EXPECT_TRUE(bar().contains("choose another folder"));
    ASSERT_TRUE(idle());
    QTest::qWait(50);  // the offer to resume would come now
    EXPECT_TRUE(bar().contains("in use")) << "and stays: " << bar().toStdString();
    EXPECT_TRUE(first->runner().computing());
    world->perLayer = std::chrono::milliseconds(1);
    EXPECT_TRUE(waitFor([&] { return !first->runner().computing(); }));
    const std::lock_guard lock(world->mutex);
    EXPECT_TRUE(world->runs[run().toStdString()].finished);
}

}  // namespace
}  // namespace owq
