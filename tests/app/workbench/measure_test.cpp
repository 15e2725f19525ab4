// SPDX-License-Identifier: Apache-2.0
// What can be measured of a run, and exported, with a task of weak columns; questions with examples before them.
#include <QCheckBox>
#include <QComboBox>
#include <QSpinBox>
#include <QTableView>

#include "tests/app/workbench/window_fixture.h"
#include "widgets/export_dialog/export_dialog.h"
#include "widgets/jobs/jobs_view.h"
#include "widgets/jobs/message_bar.h"

namespace owq {
namespace {

class MeasureTest : public MainWindowTest {
protected:
    void openRun() {
        openModel();
        makeRun();
        type("evaluationText", calibration());
    }
    void type(const char* edit, const QString& text) {
        auto* line = window->findChild<QLineEdit*>(QLatin1String(edit));
        ASSERT_TRUE(line) << edit;
        line->selectAll();
        QTest::keyClicks(line, text);
    }
    void chooseQuestions() {
        auto* protocol = window->findChild<QComboBox*>(QStringLiteral("protocol"));
        protocol->setFocus();
        QTest::keyClick(protocol, Qt::Key_End);
    }
    QString shown(const QString& path, const QString& title, int role = Qt::DisplayRole) {
        for (int row = 0; row < results().rowCount(); ++row)
            for (int column = 0; column < results().columnCount(); ++column)
                if (results().index(row, 0).data(ResultsModel::pathRole) == path && results().headerData(column, Qt::Horizontal).toString().startsWith(title))
                    return results().index(row, column).data(role).toString();
        return {};
    }
    QString messages() { return get<JobsView>()->messages().join(QLatin1Char('\n')); }
    QString task() { return dir.filePath(QStringLiteral("sea stories/task.safetensors")); }
};

TEST_F(MeasureTest, TellsTheRatioOfPerplexitiesAndThePercentilesOfTheDivergence) {
    openRun();
    auto* divergence = window->findChild<QCheckBox*>(QStringLiteral("divergence"));
    QTest::mouseClick(divergence, Qt::LeftButton, {}, QPoint(8, divergence->height() / 2));
    get<ResultsView>()->select(run());
    press("measure");
    ASSERT_TRUE(waitFor([&] { return !results().find(run())->kl.isEmpty(); }));
    EXPECT_EQ(shown(run(), QStringLiteral("KL: ")), QStringLiteral("0.02 ± 0.001"));
    const QString tip = shown(run(), QStringLiteral("KL: "), Qt::ToolTipRole);
    for (const char* line : {"perplexity ratio 1.040 ± 0.010", "median 0.008, 99 % below 0.25, largest 1.5", "changes by 3.25 % (rms), the worst hundredth loses 12.50 % or more"}) {
        EXPECT_TRUE(tip.contains(QString::fromUtf8(line))) << line << " in " << tip.toStdString();
        EXPECT_TRUE(messages().contains(QString::fromUtf8(line))) << line;
    }
    window.reset();
    make();
    openModel();
    ASSERT_TRUE(waitFor([&] { return results().find(run()) != nullptr; }));
    EXPECT_EQ(shown(run(), QStringLiteral("KL: "), Qt::ToolTipRole), tip) << "remembered";
}

TEST_F(MeasureTest, WarningsStandWhereThoseOfARunDo) {
    world->evaluateWarnings = {"The tokens do not spell the text.txt", "another"};
    openRun();
    get<ResultsView>()->select(run());
    press("measure");
    ASSERT_TRUE(waitFor([&] { return !results().find(run())->perplexity.isEmpty(); }));
    const QStringList all = get<JobsView>()->messages();
    const QString name = results().find(run())->name;
    for (const QString& warning : {QStringLiteral("The tokens do not spell the text.txt"), QStringLiteral("another")})
        EXPECT_EQ(all.filter(QStringLiteral("Perplexity of %1: %2").arg(name, warning)).size(), 1) << all.join(QLatin1Char('\n')).toStdString();
    EXPECT_EQ(all.filter(QStringLiteral("47.5000")).filter(QStringLiteral("another")).size(), 0) << "a message of their own";
    ASSERT_TRUE(get<MessageBar>()->isVisible());
    EXPECT_TRUE(get<MessageBar>()->text().contains(QStringLiteral("do not spell")) && get<MessageBar>()->text().contains(QStringLiteral("1 more"))) << get<MessageBar>()->text().toStdString();
}

TEST_F(MeasureTest, MeasuresRunsWithATaskAndTheOriginalAsItIs) {
    openRun();
    type("evaluationTask", task());
    get<ResultsView>()->table().clearSelection();
    press("measure");
    ASSERT_TRUE(waitFor([&] { return world->evaluated == 2 && !results().find(run())->perplexity.isEmpty(); }));
    EXPECT_EQ(world->lastEvaluate.model.string(), run().toStdString());
    EXPECT_EQ(world->lastEvaluate.task.string(), task().toStdString());
    EXPECT_TRUE(results().find(run())->perplexity.firstKey().endsWith(QStringLiteral("· task sea stories"))) << results().find(run())->perplexity.firstKey().toStdString();
    EXPECT_FALSE(results().find(model())->perplexity.firstKey().contains(QStringLiteral("task")));
    chooseQuestions();
    get<ResultsView>()->select(run());
    press("measure");
    ASSERT_TRUE(waitFor([&] { return !results().find(run())->accuracy.isEmpty(); }));
    EXPECT_EQ(world->lastAsked.task.string(), task().toStdString());
    EXPECT_TRUE(results().find(run())->accuracy.firstKey().endsWith(QStringLiteral("· task sea stories")));
}

TEST_F(MeasureTest, APackedModelIsMeasuredWithItsTask) {
    world->packed = true;
    openModel();
    type("evaluationText", calibration());
    type("evaluationTask", task());
    press("measure");
    ASSERT_TRUE(waitFor([&] { return !results().find(model())->perplexity.isEmpty(); }));
    EXPECT_EQ(world->lastEvaluate.task.string(), task().toStdString());
}

TEST_F(MeasureTest, AsksWithSoManyExamplesOfAFileAndTellsTheStandardError) {
    openRun();
    chooseQuestions();
    get<ResultsView>()->select(run());
    press("measure");
    ASSERT_TRUE(waitFor([&] { return world->questioned == 1; }));
    EXPECT_EQ(world->lastAsked.shots.shots, -1) << "as the data set is usually asked";
    EXPECT_TRUE(world->lastAsked.shotsFrom.empty());
    auto* shots = window->findChild<QSpinBox*>(QStringLiteral("shots"));
    shots->setFocus();
    shots->selectAll();
    QTest::keyClicks(shots, QStringLiteral("5\t"));
    type("examples", dir.filePath(QStringLiteral("dev.jsonl")));
    press("measure");
    ASSERT_TRUE(waitFor([&] { return world->questioned == 2 && results().find(run())->accuracy.size() == 2; }));
    EXPECT_EQ(world->lastAsked.shots.shots, 5);
    EXPECT_EQ(world->lastAsked.shotsFrom.string(), dir.filePath(QStringLiteral("dev.jsonl")).toStdString());
    const QString questions = QStringLiteral("text.txt · 5 shots from dev.jsonl");
    EXPECT_EQ(shown(run(), QStringLiteral("Right: ") + questions), QStringLiteral("75.0 ± 10.0 %"));
    EXPECT_EQ(shown(run(), QStringLiteral("Right by length: ") + questions), QStringLiteral("50.0 ± 12.5 %"));
    EXPECT_EQ(shown(run(), QStringLiteral("Right: ") + questions, Qt::ToolTipRole), QStringLiteral("own: 8 questions, 5 shots: 75.00 ± 10.00 %, by length 50.00 ± 12.50 %"));
    EXPECT_TRUE(messages().contains(QStringLiteral("75.00 ± 10.00 %, by length 50.00 ± 12.50 %"))) << messages().toStdString();
}

TEST_F(MeasureTest, ExportsARunWithTheWeakColumnsOfATask) {
    openRun();
    get<ResultsView>()->select(run());
    press("export");
    ASSERT_TRUE(waitFor([&] { return get<ExportDialog>() != nullptr; }));
    type("exportTask", task());
    QTest::mouseClick(get<ExportDialog>()->findChild<QPushButton*>(QStringLiteral("go")), Qt::LeftButton);
    ASSERT_TRUE(waitFor([&] { return world->exported == 1; }));
    ASSERT_TRUE(idle());
    EXPECT_EQ(world->lastExport.task.string(), task().toStdString());
}

}  // namespace
}  // namespace owq
