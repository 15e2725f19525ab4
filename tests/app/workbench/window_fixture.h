// SPDX-License-Identifier: Apache-2.0
// A main window with made-up jobs behind it, and what a person does with it.
#pragma once
#include <gtest/gtest.h>

#include <QDir>
#include <QFile>
#include <QLineEdit>
#include <QPushButton>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>
#include <functional>
#include <memory>

#include "app/workbench/main_window.h"
#include "tests/app/workbench/fake_jobs.h"
#include "widgets/figure/figure_dialog.h"
#include "widgets/layer_tree/layer_tree.h"
#include "widgets/results/results_view.h"

namespace owq {

class MainWindowTest : public testing::Test {
protected:
    void SetUp() override {
        QSettings().clear();
        FigureDialog::forget();
        QDir(dir.path()).mkpath(QStringLiteral("model"));
        QFile text(calibration());
        ASSERT_TRUE(text.open(QIODevice::WriteOnly));
        text.write("words");
        make();
    }
    void make() {
        window = std::make_unique<MainWindow>(fakeJobs(world), nullptr);
        window->resize(1400, 900);
        window->show();
    }
    void openModel() {
        window->open(model());
        ASSERT_TRUE(waitFor([&] { return window->workspace().isOpen() && window->findChild<LayerTree*>()->isVisible(); }));
    }
    /// A finished run in the results.
    void makeRun() {
        fillPanel();
        press("run");
        ASSERT_TRUE(idle());
        ASSERT_TRUE(waitFor([&] { return results().find(run()) && results().find(run())->finished; }));
    }
    /// Types settings into the run panel as a person would.
    void fillPanel() {
        for (auto [name, value] : {std::pair{"calibrationFile", calibration()}, {"runDirectory", run()}}) {
            auto* edit = window->findChild<QLineEdit*>(QLatin1String(name));
            edit->selectAll();
            QTest::keyClicks(edit, value);
        }
    }
    void press(const char* button) {
        auto* b = window->findChild<QPushButton*>(QLatin1String(button));
        ASSERT_TRUE(b) << button;
        ASSERT_TRUE(waitFor([&] { return b->isVisible() && b->isEnabled(); })) << button;
        QTest::mouseClick(b, Qt::LeftButton);
    }
    template <class W>
    W* get() {
        return window->findChild<W*>();
    }
    LayerTreeModel& tree() { return get<LayerTree>()->model(); }
    ResultsModel& results() { return get<ResultsView>()->model(); }
    bool waitFor(const std::function<bool()>& condition) { return QTest::qWaitFor(condition, 10000); }
    bool idle() {
        return waitFor([&] { return !window->runner().computing(); });
    }
    QString model() { return dir.filePath(QStringLiteral("model")); }
    QString run() { return dir.filePath(QStringLiteral("run")); }
    QString calibration() { return dir.filePath(QStringLiteral("text.txt")); }
    QString firstLayer() { return QStringLiteral("model.layers.0.self_attn.q_proj"); }

    QTemporaryDir dir;
    std::shared_ptr<FakeWorld> world = std::make_shared<FakeWorld>();
    std::unique_ptr<MainWindow> window;
};

}  // namespace owq
