// SPDX-License-Identifier: Apache-2.0
// The main path with the real jobs and the bundled sample model, by real keys and mouse.
#include <gtest/gtest.h>

#include <QApplication>
#include <QDir>
#include <QDockWidget>
#include <QElapsedTimer>
#include <QFileInfo>
#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QPushButton>
#include <QSettings>
#include <QSpinBox>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QToolButton>
#include <filesystem>

#include "app/workbench/blind_tally.h"
#include "app/workbench/main_window.h"
#include "app/workbench/plot_area.h"
#include "app/workbench/render_figure.h"
#include "core/jobs/judge.h"
#include "core/jobs/threads.h"
#include "tests/app/workbench/full_disk.h"
#include "widgets/export_dialog/export_dialog.h"
#include "widgets/jobs/jobs_view.h"
#include "widgets/layer_tree/layer_tree.h"
#include "widgets/lesson/lesson_view.h"
#include "widgets/results/results_view.h"
#include "widgets/run_panel/run_panel.h"
#include "widgets/start_page/start_page.h"
#include "widgets/try_it/try_panel.h"

namespace owq {
namespace {

constexpr int kLong = 240000;  // ms; a sanitizer build on a busy machine

class SampleTest : public testing::Test {
protected:
    SampleTest() : window(realJobs(), nullptr) {
        QSettings().clear();
        window.resize(1400, 900);
        window.show();
    }
    template <class W>
    W* get(const char* name = "") {
        return window.findChild<W*>(QLatin1String(name));
    }
    bool waitFor(const std::function<bool()>& condition) { return QTest::qWaitFor(condition, kLong); }
    bool idle() {
        return waitFor([&] { return !window.runner().computing(); });
    }
    void press(const char* button) {
        auto* b = get<QPushButton>(button);
        ASSERT_TRUE(b && waitFor([&] { return b->isVisible() && b->isEnabled(); })) << button;
        QTest::mouseClick(b, Qt::LeftButton);
    }
    void type(const char* name, const QString& text) {
        auto* edit = get<QLineEdit>(name);
        edit->selectAll();
        QTest::keyClicks(edit, text);
    }
    std::string messages() { return get<JobsView>()->messages().join(QLatin1Char('\n')).toStdString(); }
    ResultsModel& results() { return get<ResultsView>()->model(); }

    QTemporaryDir dir;
    MainWindow window;
};

TEST_F(SampleTest, OpensAnalyzesCancelsRunsMeasuresExportsAndDraws) {
    const QString sample = QStringLiteral(OWQ_SAMPLE "/sample-llama"),
                  layer = QStringLiteral("model.layers.0.mlp.down_proj");
    const QString run = dir.filePath(QStringLiteral("run"));
    window.open(sample);
    ASSERT_TRUE(waitFor([&] { return get<LayerTree>()->isVisible(); })) << messages();
    LayerTreeModel& tree = get<LayerTree>()->model();
    ASSERT_EQ(tree.linearCount(), 42);
    get<LayerTree>()->select({layer});
    ASSERT_TRUE(waitFor([&] {
        return get<PlotArea>()->curves().size() == 1 &&
               get<PlotArea>()->curves().front()->columnMin.size() == 704;
    })) << messages();

    type("calibrationFile", QStringLiteral(OWQ_SAMPLE "/calibration.txt"));
    type("runDirectory", run);
    get<QSpinBox>("samples")->setValue(4);
    press("analyze");
    ASSERT_TRUE(idle());
    ASSERT_TRUE(waitFor([&] { return tree.find(layer)->weakColumns >= 0; })) << messages();
    EXPECT_GT(tree.find(layer)->sensitivity, 0);
    EXPECT_TRUE(waitFor([&] { return get<PlotArea>()->curves().front()->hessianDiagonal.size() == 704; })) << "plots follow a moment later";

    auto* target = get<QDoubleSpinBox>("targetBits");
    target->setFocus();
    target->selectAll();
    QTest::keyClicks(target, QStringLiteral("3.05\t"));
    press("run");
    ASSERT_TRUE(waitFor([&] {
        return tree.find(QStringLiteral("model.layers.0.self_attn.q_proj"))->quantized ||
               !window.runner().computing();
    }));
    ASSERT_TRUE(window.runner().computing()) << "too fast to be cancelled: " << messages();
    QElapsedTimer clock;
    clock.start();
    press("cancel");
    ASSERT_TRUE(idle());
    EXPECT_LT(clock.elapsed(), 5000);
    ASSERT_TRUE(waitFor([&] { return get<MessageBar>()->isVisible(); }));
    EXPECT_TRUE(get<MessageBar>()->text().contains("layers finished"))
        << get<MessageBar>()->text().toStdString();
    QTest::mouseClick(get<MessageBar>()->findChild<QToolButton*>(QStringLiteral("messageAction")),
                      Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return results().find(run) && results().find(run)->finished; })) << messages();
    EXPECT_NEAR(results().find(run)->paperBits, 3.0870535714, 1e-6) << "as the reference: columns are rounded up";
    EXPECT_TRUE(tree.find(layer)->quantized);
    EXPECT_EQ(tree.find(layer)->bits, 3);

    type("evaluationText", QStringLiteral(OWQ_SAMPLE "/heldout.txt"));
    get<ResultsView>()->findChild<QSpinBox*>()->setValue(4);
    get<ResultsView>()->table().clearSelection();
    press("measure");
    ASSERT_TRUE(waitFor([&] { return !results().find(run)->perplexity.isEmpty(); })) << messages();
    const double original = results().find(sample)->perplexity.first(),
                 packed = results().find(run)->perplexity.first();
    EXPECT_GT(original, 20);
    EXPECT_GT(packed, original * 0.98);
    EXPECT_LT(packed, original * 1.3);
    const std::vector<ComparedPerplexity> kept = evaluationsOf(run.toStdString());
    ASSERT_EQ(kept.size(), 1U) << "where owq compare reads it";
    EXPECT_EQ(kept[0].perplexity, packed);

    get<ResultsView>()->select(run);
    press("export");
    ASSERT_TRUE(waitFor([&] { return get<ExportDialog>() != nullptr; }));
    auto* out = get<ExportDialog>()->findChild<QLineEdit*>(QStringLiteral("destination"));
    const QString packedFolder = out->text();
    QTest::mouseClick(get<ExportDialog>()->findChild<QPushButton*>(QStringLiteral("go")), Qt::LeftButton);
    ASSERT_TRUE(idle());
    EXPECT_TRUE(std::filesystem::exists(packedFolder.toStdString() + "/model.safetensors"));

    Arguments figure;
    figure.directory = run;
    figure.layers = {layer};
    for (const char* kind : {"hessian", "column-range", "cumulative-error", "sensitivity"}) {
        figure.kind = QLatin1String(kind);
        figure.out = dir.filePath(figure.kind + QStringLiteral(".svg"));
        EXPECT_EQ(renderFigureCommand(figure, realJobs()), 0) << kind;
        EXPECT_GT(QFileInfo(figure.out).size(), 1000) << kind;
    }
    figure.directory = sample;
    figure.kind = QStringLiteral("column-range");
    EXPECT_EQ(renderFigureCommand(figure, realJobs()), 0);
    figure.kind = QStringLiteral("hessian");
    EXPECT_EQ(renderFigureCommand(figure, realJobs()), 1) << "a checkpoint has no Hessian";
    figure.kind = QStringLiteral("pie");
    EXPECT_EQ(renderFigureCommand(figure, realJobs()), 2);
}

TEST_F(SampleTest, TeachesOnARealLayer) {
    QTest::mouseClick(get<QPushButton>("takeLesson"), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return get<LessonView>() && get<LessonView>()->hasLesson(); })) << messages();
    auto* lesson = get<LessonView>();
    EXPECT_EQ(lesson->steps(), 3 + 12 + 11 + 1);
    auto* next = lesson->findChild<QPushButton*>(QStringLiteral("lessonNext"));
    for (int i = 1; i < lesson->steps(); ++i) {
        QTest::keyClick(next, Qt::Key_Right);
        ASSERT_EQ(lesson->step(), i);
    }
    const CellGrid& losses = lesson->scene().main;
    double all = 0, kept = 0;
    for (int c = 0; c < losses.columns(); ++c) all += losses.at(0, c).value, kept += losses.at(1, c).value;
    EXPECT_LT(kept, all) << "what the lesson is about";
}

TEST_F(SampleTest, ClosedDuringARunItIsResumedAndAnotherWindowIsKeptOut) {
    const QString run = dir.filePath(QStringLiteral("run"));
    const QString first = QStringLiteral("model.layers.0.self_attn.q_proj");
    const auto begin = [&](MainWindow& w) {
        w.open(QStringLiteral(OWQ_SAMPLE "/sample-llama"));
        ASSERT_TRUE(waitFor([&] { return w.workspace().isOpen() && w.findChild<LayerTree*>()->isVisible(); }));
    };
    begin(window);
    type("calibrationFile", QStringLiteral(OWQ_SAMPLE "/calibration.txt"));
    type("runDirectory", run);
    get<QSpinBox>("samples")->setValue(4);
    press("run");
    LayerTreeModel& tree = get<LayerTree>()->model();
    ASSERT_TRUE(waitFor([&] { return (tree.find(first) && tree.find(first)->quantized) || !window.runner().computing(); }));
    ASSERT_TRUE(window.runner().computing()) << messages();

    // Another window opens what is being written, and is offered to go on with it.
    MainWindow second(realJobs(), nullptr);
    second.resize(1000, 700);
    second.show();
    second.open(run);
    auto* bar = second.findChild<MessageBar*>();
    ASSERT_TRUE(waitFor([&] { return bar->isVisible(); }));
    ASSERT_TRUE(bar->text().contains("layers finished")) << bar->text().toStdString();
    QTest::mouseClick(bar->findChild<QToolButton*>(QStringLiteral("messageAction")), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return bar->isVisible() && !second.runner().computing(); }));
    EXPECT_TRUE(bar->text().contains("in use by another running program")) << bar->text().toStdString();
    EXPECT_TRUE(window.runner().computing()) << "too fast: " << messages();

    // The first is closed; the other one may go on now.
    QTimer::singleShot(0, [] {
        if (auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget())) box->button(QMessageBox::Close)->click();
    });
    EXPECT_TRUE(window.close());
    const RunSummary unfinished = openRun(run.toStdString());
    EXPECT_FALSE(unfinished.finished);
    EXPECT_GT(unfinished.done, 0);
    second.open(run);
    ASSERT_TRUE(waitFor([&] { return bar->isVisible() && bar->text().contains("layers finished"); })) << bar->text().toStdString();
    QTest::mouseClick(bar->findChild<QToolButton*>(QStringLiteral("messageAction")), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return second.runner().computing(); }));
    ASSERT_TRUE(waitFor([&] { return !second.runner().computing(); }));
    EXPECT_TRUE(openRun(run.toStdString()).finished) << bar->text().toStdString();
}

TEST_F(SampleTest, GoesOnWithARunThatTheCommandLineBeganWithOneThread) {
    QuantizeOptions options;
    options.model = OWQ_SAMPLE "/sample-llama";
    options.out = dir.filePath(QStringLiteral("run")).toStdString();
    options.calibration.text = OWQ_SAMPLE "/calibration.txt";
    options.calibration.samples = 4;
    std::stop_source stop;
    options.onLayer = [&, done = 0](const LayerReport&) mutable {
        if (++done == 3) stop.request_stop();
    };
    ASSERT_TRUE(idle());
    setThreads(1);
    Progress progress;
    EXPECT_THROW(quantize(options, progress, stop.get_token()), Cancelled);
    setThreads(0);
    ASSERT_FALSE(openRun(options.out).finished);
    ASSERT_NE(threads(), 1) << "with a single core this shows nothing";
    window.open(dir.filePath(QStringLiteral("run")));
    auto* bar = get<MessageBar>();
    ASSERT_TRUE(waitFor([&] { return bar->isVisible(); }));
    type("calibrationFile", QStringLiteral(OWQ_SAMPLE "/calibration.txt"));
    QTest::mouseClick(bar->findChild<QToolButton*>(QStringLiteral("messageAction")), Qt::LeftButton);
    ASSERT_TRUE(idle());
    EXPECT_TRUE(openRun(options.out).finished) << bar->text().toStdString();
}

TEST_F(SampleTest, AFullDiskLeavesNoPieceOfAnExportAndTwoModelsAnswerBesideEachOther) {
    const QString run = dir.filePath(QStringLiteral("run"));
    window.open(QStringLiteral(OWQ_SAMPLE "/sample-llama"));
    ASSERT_TRUE(waitFor([&] { return window.workspace().isOpen() && window.findChild<LayerTree*>()->isVisible(); }));
    QTest::mouseClick(get<QToolButton>("method_rtn"), Qt::LeftButton);
    type("runDirectory", run);
    press("run");
    ASSERT_TRUE(waitFor([&] { return results().find(run) && results().find(run)->finished; })) << messages();
    get<ResultsView>()->select(run);
    press("export");
    ASSERT_TRUE(waitFor([&] { return get<ExportDialog>() != nullptr; }));
    auto* dialog = get<ExportDialog>();
    const auto texts = [&] {
        QStringList all;
        for (const QLabel* label : dialog->findChildren<QLabel*>()) all << label->text();
        return all.join(QLatin1Char(' '));
    };
    const QString out = dialog->findChild<QLineEdit*>(QStringLiteral("destination"))->text();
    const QStringList before = QDir(dir.path()).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot);
    {
        const FullDisk full(100000);
        QTest::mouseClick(dialog->findChild<QPushButton*>(QStringLiteral("go")), Qt::LeftButton);
        ASSERT_TRUE(idle());
        EXPECT_TRUE(waitFor([&] { return texts().contains("could not be written"); })) << texts().toStdString();
    }
    EXPECT_FALSE(QFileInfo::exists(out));
    EXPECT_EQ(QDir(dir.path()).entryList(QDir::AllEntries | QDir::Hidden | QDir::NoDotAndDotDot), before) << "nothing half done beside it";
    dialog->close();

    window.findChild<QDockWidget*>(QStringLiteral("try"))->raise();
    auto* panel = get<TryPanel>();
    ASSERT_TRUE(waitFor([&] { return panel->request().both(); }));
    type("prompt", QStringLiteral("The captain"));
    QTest::keyClick(get<QLineEdit>("prompt"), Qt::Key_Return);
    ASSERT_TRUE(idle());
    for (const TryPanel::Side side : {TryPanel::Side::left, TryPanel::Side::right}) EXPECT_GT(panel->answer(side).size(), 20) << panel->answer(side).toStdString();
    EXPECT_NE(panel->answer(TryPanel::Side::left), panel->answer(TryPanel::Side::right));
}

TEST(BlindVerdicts, AreCountedByTheCommandLine) {
    QTemporaryDir dir;
    BlindTally t("original", "run");
    using V = BlindTally::Verdict;
    for (const auto& [swapped, verdict] : {std::pair(false, V::left), {true, V::right}, {false, V::equal}, {true, V::left}, {false, V::left}})
        t.add({"prompt", "left", "right", swapped, verdict, Json::object()});
    const std::filesystem::path folder = dir.filePath(QStringLiteral("verdicts")).toStdString();
    t.write(folder);
    const JudgeTally counted = tallyVerdicts(folder, folder / "verdicts.jsonl");
    EXPECT_EQ(counted.a, "original");
    EXPECT_EQ(counted.promptWins, t.wins());
    EXPECT_EQ(counted.promptLosses, t.losses());
    EXPECT_EQ(counted.promptTies, t.ties());
    EXPECT_EQ(counted.missing, 0);
    EXPECT_DOUBLE_EQ(counted.signTest, t.signTest());
}

}  // namespace
}  // namespace owq
