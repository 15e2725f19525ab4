// SPDX-License-Identifier: Apache-2.0
// Two models on one prompt, and judging them blind, by real keys and mouse.
#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QLabel>
#include <QMessageBox>
#include <QPlainTextEdit>
#include <QSpinBox>
#include <QTimer>

#include "app/workbench/blind_tally.h"
#include "app/workbench/try_controller.h"
#include "core/base/file.h"
#include "tests/app/workbench/window_fixture.h"
#include "widgets/jobs/jobs_view.h"
#include "widgets/try_it/try_panel.h"

namespace owq {
namespace {

BlindTally::Comparison compared(bool swapped, BlindTally::Verdict verdict) {
    return {"a prompt", "left text", "right text", swapped, verdict, Json::object()};
}

TEST(BlindTally, SidesAreDrawnAndTheSameDrawGivesTheSameSides) {
    int swaps = 0;
    for (uint64_t n = 0; n < 400; ++n) {
        EXPECT_EQ(BlindTally::swapped(7, n, "x"), BlindTally::swapped(7, n, "x"));
        swaps += BlindTally::swapped(7, n, "x");
    }
    EXPECT_NEAR(swaps, 200, 60);  // six standard deviations
    int differ = 0;
    for (uint64_t n = 0; n < 100; ++n) differ += BlindTally::swapped(7, n, "x") != BlindTally::swapped(8, n, "x");
    EXPECT_GT(differ, 0);
}

TEST(BlindTally, CountsForTheModelsNotForTheSides) {
    using V = BlindTally::Verdict;
    BlindTally t("a", "b");
    for (const auto& [swapped, verdict] : {std::pair(false, V::left), {true, V::right}, {false, V::right}, {true, V::equal}}) t.add(compared(swapped, verdict));
    EXPECT_EQ(t.wins(), 2);
    EXPECT_EQ(t.losses(), 1);
    EXPECT_EQ(t.ties(), 1);
    EXPECT_DOUBLE_EQ(t.signTest(), 1);
    for (int i = 0; i < 4; ++i) t.add(compared(false, V::left));
    EXPECT_NEAR(t.signTest(), 2.0 * 8 / 128, 1e-12);  // 6 of 7
}

TEST(BlindTally, NeverWritesOverOtherFiles) {
    QTemporaryDir dir;
    const std::filesystem::path folder = dir.filePath(QStringLiteral("verdicts")).toStdString();
    BlindTally t("a", "b");
    t.add(compared(false, BlindTally::Verdict::left));
    t.write(folder);
    t.add(compared(true, BlindTally::Verdict::left));
    t.write(folder);  // goes on with its own
    EXPECT_EQ(readText(folder / "verdicts.jsonl"), "{\"comparison\":\"1/1\",\"verdict\":\"first\"}\n{\"comparison\":\"2/2\",\"verdict\":\"first\"}\n");
    EXPECT_THROW(BlindTally("a", "c").write(folder), Error);
    writeText(std::filesystem::path(dir.path().toStdString()) / "letter.txt", "mine");
    EXPECT_THROW(t.write(dir.path().toStdString()), Error);
}

class TryItTest : public MainWindowTest {
protected:
    void openTry() {
        openModel();
        window->findChild<QDockWidget*>(QStringLiteral("try"))->raise();
    }
    void ask(const QString& prompt) {
        auto* edit = find<QLineEdit>("prompt");
        edit->setFocus();
        edit->selectAll();
        QTest::keyClicks(edit, prompt);
        QTest::keyClick(edit, Qt::Key_Return);
    }
    template <class W>
    W* find(const char* name) {
        return get<TryPanel>()->findChild<W*>(QLatin1String(name));
    }
    QString left() { return panel().answer(TryPanel::Side::left); }
    QString right() { return panel().answer(TryPanel::Side::right); }
    QString labels() {
        QStringList texts;
        for (const QLabel* label : panel().findChildren<QLabel*>()) texts << label->text();
        return texts.join(QLatin1Char('|'));
    }
    QString tally() { return find<QLabel>("tally")->text(); }
    TryPanel& panel() { return *get<TryPanel>(); }
    void makeBlind() {
        openTry();
        makeRun();
        window->findChild<QDockWidget*>(QStringLiteral("try"))->raise();
        ASSERT_TRUE(waitFor([&] { return panel().request().both(); }));
        QTest::mouseClick(find<QCheckBox>("blind"), Qt::LeftButton, {}, QPoint(8, find<QCheckBox>("blind")->height() / 2));
        ASSERT_TRUE(panel().isBlind());
    }
    /// Waits for both answers and presses a verdict.
    void judge(const char* button) {
        ASSERT_TRUE(waitFor([&] { return find<QPushButton>(button)->isEnabled(); }));
        QTest::mouseClick(find<QPushButton>(button), Qt::LeftButton);
        EXPECT_FALSE(find<QPushButton>(button)->isEnabled()) << "once for a prompt";
    }
};

TEST_F(TryItTest, OneModelWritesAsItComes) {
    openTry();
    EXPECT_FALSE(panel().request().both()) << "there is no run yet";
    EXPECT_FALSE(find<QCheckBox>("blind")->isEnabled());
    world->perLayer = std::chrono::milliseconds(60);
    ask(QStringLiteral("In the beginning"));
    ASSERT_TRUE(waitFor([&] { return left() == "In the beginning it was"; })) << "not only when all is done";
    ASSERT_TRUE(waitFor([&] { return left() == "In the beginning it was the best of times"; }));
    EXPECT_FALSE(find<QPlainTextEdit>("rightAnswer")->isVisible());
}

TEST_F(TryItTest, TwoModelsAnswerBesideEachOtherWithTheirRates) {
    openTry();
    makeRun();
    ASSERT_TRUE(waitFor([&] { return panel().request().both(); })) << "the new run stands beside the original by itself";
    window->findChild<QDockWidget*>(QStringLiteral("try"))->raise();
    find<QSpinBox>("trySeed")->setValue(5);
    ask(QStringLiteral("In the beginning"));
    ASSERT_TRUE(idle());
    EXPECT_EQ(left(), "In the beginning it was the best of times");
    EXPECT_EQ(right(), "In the beginning it was the best of runs");
    EXPECT_EQ(labels().count(QStringLiteral("3 tokens, 300.0/s · answer 6 tokens, 60.0/s")), 2) << labels().toStdString();
    ASSERT_EQ(world->asked.size(), 2u);
    for (const GenerateOptions& o : world->asked) {
        EXPECT_DOUBLE_EQ(o.topP, 0.9);
        EXPECT_DOUBLE_EQ(o.temperature, 0.7);
        EXPECT_EQ(o.seed, 5u);
    }
    EXPECT_EQ(world->asked[0].model.string(), model().toStdString());
    EXPECT_EQ(world->asked[1].model.string(), run().toStdString());
    // The other way round, by keyboard.
    find<QComboBox>("firstModel")->setFocus();
    QTest::keyClick(find<QComboBox>("firstModel"), Qt::Key_Down);
    find<QComboBox>("secondModel")->setFocus();
    QTest::keyClick(find<QComboBox>("secondModel"), Qt::Key_Up);
    ask(QStringLiteral("Then"));
    ASSERT_TRUE(waitFor([&] { return right().endsWith("times"); }));
    EXPECT_EQ(left(), "Then it was the best of runs");
}

TEST_F(TryItTest, StopsBothAndKeepsWhatIsThere) {
    openTry();
    makeRun();
    ASSERT_TRUE(waitFor([&] { return panel().request().both(); }));
    window->findChild<QDockWidget*>(QStringLiteral("try"))->raise();
    world->perLayer = std::chrono::milliseconds(100);
    ask(QStringLiteral("In the beginning"));
    ASSERT_TRUE(waitFor([&] { return left().endsWith("it"); }));
    QTest::mouseClick(find<QPushButton>("write"), Qt::LeftButton);
    ASSERT_TRUE(idle());
    EXPECT_LT(left().size(), QStringLiteral("In the beginning it was the best").size());
    EXPECT_EQ(right(), "In the beginning");
    EXPECT_EQ(labels().count(QStringLiteral("Stopped.")), 2) << labels().toStdString();
    world->perLayer = std::chrono::milliseconds(1);
    ask(QStringLiteral("Again"));
    ASSERT_TRUE(waitFor([&] { return right().endsWith("runs"); }));
}

TEST_F(TryItTest, ATaskBesideARunCanBeChosen) {
    world->tasks[run().toStdString()] = {(dir.path() + QStringLiteral("/sea stories/task.safetensors")).toStdString()};
    openTry();
    makeRun();
    auto* second = find<QComboBox>("secondModel");
    ASSERT_TRUE(waitFor([&] { return second->count() == 4; }));  // nothing, the original, the run, the run with the task
    EXPECT_TRUE(second->itemText(3).endsWith("+ task sea stories")) << second->itemText(3).toStdString();
    EXPECT_EQ(second->currentIndex(), 2) << "not chosen by itself";
    window->findChild<QDockWidget*>(QStringLiteral("try"))->raise();
    second->setFocus();
    QTest::keyClick(second, Qt::Key_Down);
    ask(QStringLiteral("In the beginning"));
    ASSERT_TRUE(waitFor([&] { return right().endsWith("tasks"); }));
    EXPECT_EQ(world->asked[1].model.string(), run().toStdString());
    EXPECT_EQ(world->asked[1].task, world->tasks[run().toStdString()].front());
}

TEST_F(TryItTest, ATaskFileThatLiesAnywhereIsChosenByHand) {
    openTry();
    makeRun();
    window->findChild<QDockWidget*>(QStringLiteral("try"))->raise();
    const QString mine = dir.filePath(QStringLiteral("sea.safetensors")), other = dir.filePath(QStringLiteral("other.safetensors"));
    for (const QString& file : {mine, other}) ASSERT_TRUE(QFile(file).open(QIODevice::WriteOnly));
    world->elsewhere[run().toStdString()] = {mine.toStdString()};
    const auto choose = [&](const QString& file) {
        bool chosen = false;
        QTimer choosing;
        QObject::connect(&choosing, &QTimer::timeout, [&] {
            auto* dialog = qobject_cast<QFileDialog*>(QApplication::activeModalWidget());
            if (!dialog) return;
            auto* name = dialog->findChild<QLineEdit*>();
            name->setText(file);
            QTest::keyClick(name, Qt::Key_Return);
            chosen = true;
        });
        choosing.start(20);
        window->activateWindow();  // after a dialog the platform of the tests leaves none active
        ASSERT_TRUE(QTest::qWaitForWindowActive(window.get()));
        QTest::keyClick(window.get(), Qt::Key_4, Qt::AltModifier);  // presses the button, and a moment later lets it go
        EXPECT_TRUE(waitFor([&] { return chosen; }));
    };
    choose(other);
    ASSERT_TRUE(waitFor([&] { return get<MessageBar>()->isVisible(); }));
    EXPECT_TRUE(get<MessageBar>()->text().contains(QStringLiteral("another packed matrix"))) << get<MessageBar>()->text().toStdString();
    auto* second = find<QComboBox>("secondModel");
    EXPECT_EQ(second->count(), 3);
    choose(mine);
    ASSERT_TRUE(waitFor([&] { return second->currentText().endsWith(QStringLiteral("+ task sea")); })) << second->currentText().toStdString();
    ask(QStringLiteral("In the beginning"));
    ASSERT_TRUE(waitFor([&] { return right().endsWith("tasks"); }));
    EXPECT_EQ(world->asked[1].model.string(), run().toStdString());
    EXPECT_EQ(world->asked[1].task.string(), mine.toStdString());
}

TEST_F(TryItTest, EachRoundDrawsItsSidesAnew) {
    makeBlind();
    const QString prompt = QStringLiteral("In the beginning");
    auto* blind = find<QCheckBox>("blind");
    const auto toggle = [&] { QTest::mouseClick(blind, Qt::LeftButton, {}, QPoint(8, blind->height() / 2)); };
    QList<bool> sides;
    for (int round = 0; round < 8; ++round) {
        ask(prompt);
        ASSERT_TRUE(waitFor([&] { return find<QPushButton>("leftBetter")->isEnabled(); }));
        sides << left().endsWith("runs");
        EXPECT_EQ(sides.back(), BlindTally::swapped(0, uint64_t(round), prompt.toStdString()));
        toggle();  // shows who wrote what
        toggle();
    }
    EXPECT_TRUE(sides.contains(true) && sides.contains(false)) << "none of these was judged";
}

TEST_F(TryItTest, BlindHidesWhoWroteWhatUntilItEnds) {
    makeBlind();
    const QString name = results().find(run())->name;
    world->perLayer = std::chrono::milliseconds(30);
    ask(QStringLiteral("In the beginning"));
    ASSERT_TRUE(waitFor([&] { return world->generated == 2; }));
    EXPECT_EQ(left(), "In the beginning") << "the first answer waits for the other, or its speed would tell";
    EXPECT_EQ(right(), "In the beginning");
    EXPECT_FALSE(find<QPushButton>("leftBetter")->isEnabled());
    ASSERT_TRUE(waitFor([&] { return find<QPushButton>("leftBetter")->isEnabled(); }));
    EXPECT_TRUE(left().endsWith("times") != right().endsWith("times")) << "one of each";
    EXPECT_EQ(left().endsWith("runs"), BlindTally::swapped(0, 0, "In the beginning"));
    EXPECT_FALSE(labels().contains("/s ")) << labels().toStdString();
    EXPECT_FALSE(labels().contains(name)) << labels().toStdString();
    EXPECT_FALSE(get<JobsView>()->messages().filter(QStringLiteral("blind")).join(' ').contains(name));

    judge("leftBetter");
    EXPECT_TRUE(tally().startsWith("1 judged")) << tally().toStdString();
    EXPECT_FALSE(tally().contains(name)) << "who leads would help to guess";
    QTest::mouseClick(find<QCheckBox>("blind"), Qt::LeftButton, {}, QPoint(8, find<QCheckBox>("blind")->height() / 2));
    EXPECT_TRUE(tally().contains(name) && tally().contains("p = 1")) << tally().toStdString();
    EXPECT_TRUE(labels().contains("/s "));
}

TEST_F(TryItTest, VerdictsAreCountedSavedAndFollowedByLaterOnes) {
    makeBlind();
    const QString folder = dir.filePath(QStringLiteral("verdicts"));
    int runBetter = 0;
    for (const char* prompt : {"One", "Two", "Three"}) {
        ask(QLatin1String(prompt));
        ASSERT_TRUE(waitFor([&] { return find<QPushButton>("equal")->isEnabled(); }));
        // A judge who likes runs.
        judge(left().endsWith("runs") ? "leftBetter" : "rightBetter");
        ++runBetter;
    }
    auto* controller = window->findChild<TryController*>();
    EXPECT_TRUE(controller->hasUnsavedVerdicts());
    QTimer::singleShot(0, [] {
        auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget());
        ASSERT_TRUE(box);
        EXPECT_TRUE(box->windowTitle().contains("verdicts"));
        box->button(QMessageBox::Cancel)->click();
    });
    EXPECT_FALSE(window->close());

    controller->save(folder);
    ASSERT_TRUE(waitFor([&] { return !controller->hasUnsavedVerdicts(); }));
    ask(QStringLiteral("Four"));
    judge("equal");
    ASSERT_TRUE(waitFor([&] { return !controller->hasUnsavedVerdicts(); })) << "later ones follow by themselves";
    const std::filesystem::path out = folder.toStdString();
    EXPECT_EQ(readJson(out / "judge.json").at("a"), model().toStdString());
    EXPECT_EQ(readJson(out / "judge.json").at("b"), run().toStdString());
    int64_t lines = 0, forRun = 0, ties = 0;
    QFile file(folder + QStringLiteral("/verdicts.jsonl"));
    ASSERT_TRUE(file.open(QIODevice::ReadOnly));
    for (const QByteArray& line : file.readAll().split('\n')) {
        if (line.isEmpty()) continue;
        const Json verdict = parseJson(line.toStdString(), "verdicts");
        ++lines;
        ties += verdict.at("verdict") == "tie";
        const bool first = verdict.at("verdict") == "first", swapped = verdict.at("comparison").get<std::string>().ends_with("/2");
        forRun += verdict.at("verdict") != "tie" && first == swapped;
    }
    EXPECT_EQ(lines, 4);
    EXPECT_EQ(forRun, 3);
    EXPECT_EQ(ties, 1);
    QTest::mouseClick(find<QCheckBox>("blind"), Qt::LeftButton, {}, QPoint(8, find<QCheckBox>("blind")->height() / 2));
    EXPECT_TRUE(tally().contains("better in 3") && tally().contains("1 equal") && tally().contains("p = 0.25")) << tally().toStdString();
    EXPECT_TRUE(window->close());
}

TEST_F(TryItTest, AStoppedOrFailedAnswerIsNotJudged) {
    makeBlind();
    world->perLayer = std::chrono::milliseconds(100);
    ask(QStringLiteral("In the beginning"));
    ASSERT_TRUE(waitFor([&] { return world->generated >= 1; }));
    QTest::mouseClick(find<QPushButton>("write"), Qt::LeftButton);
    ASSERT_TRUE(idle());
    EXPECT_FALSE(find<QPushButton>("leftBetter")->isEnabled());
    world->perLayer = std::chrono::milliseconds(1);
    QDir(run()).removeRecursively();
    ask(QStringLiteral("Again"));
    ASSERT_TRUE(waitFor([&] { return get<MessageBar>()->isVisible() && get<MessageBar>()->text().contains("no such file"); }));
    EXPECT_FALSE(find<QPushButton>("leftBetter")->isEnabled());
    EXPECT_FALSE(window->findChild<TryController*>()->hasUnsavedVerdicts());
}

}  // namespace
}  // namespace owq
