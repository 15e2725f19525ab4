// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <QClipboard>
#include <QComboBox>
#include <QGuiApplication>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QProgressBar>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <QToolButton>
#include <cmath>
#include <limits>

#include "widgets/common/format.h"
#include "widgets/export_dialog/export_dialog.h"
#include "widgets/jobs/job_card.h"
#include "widgets/jobs/jobs_view.h"
#include "widgets/jobs/message_bar.h"
#include "widgets/run_panel/run_panel.h"
#include "widgets/start_page/start_page.h"
#include "widgets/theme/icon.h"
#include "widgets/theme/theme.h"

namespace owq {
namespace {

TEST(Format, WritesNumbersForPeople) {
    EXPECT_EQ(bytesText(999), "999 B");
    EXPECT_EQ(bytesText(1000), "1.00 kB");
    EXPECT_EQ(bytesText(13.84e6), "13.8 MB");
    EXPECT_EQ(bytesText(13.5e9), "13.5 GB");
    EXPECT_EQ(durationText(0.42), "0.4 s");
    EXPECT_EQ(durationText(59.6), "1 min 0 s");
    EXPECT_EQ(durationText(3905), "1 h 05 min");
    EXPECT_EQ(durationText(-1), "");
    EXPECT_EQ(numberText(std::numeric_limits<double>::quiet_NaN()), "");
    EXPECT_EQ(numberText(0), "0");
    EXPECT_EQ(numberText(1.2341e-7), "1.234e-07");
    EXPECT_EQ(numberText(123.456), "123.5");
    EXPECT_EQ(numberText(27000, 3), "2.70e+04");
    EXPECT_EQ(numberText(999.4, 3), "999");
    EXPECT_EQ(numberText(999.7, 3), "1.00e+03");
    EXPECT_EQ(countText(6.92e6), "6.92 M");
}

TEST(Theme, TextStandsOutInBothLooks) {
    for (bool dark : {false, true}) {
        const QPalette palette = Theme::palette(dark);
        EXPECT_EQ(Theme::isDark(palette), dark);
        for (auto [text, ground] : {std::pair{QPalette::Text, QPalette::Base},
                                    {QPalette::WindowText, QPalette::Window},
                                    {QPalette::ButtonText, QPalette::Button},
                                    {QPalette::HighlightedText, QPalette::Highlight}}) {
            const auto luminance = [](const QColor& c) {
                const auto linear = [](double v) {
                    return v <= 0.03928 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
                };
                return 0.2126 * linear(c.redF()) + 0.7152 * linear(c.greenF()) + 0.0722 * linear(c.blueF());
            };
            const double a = luminance(palette.color(text)), b = luminance(palette.color(ground));
            EXPECT_GT((std::max(a, b) + 0.05) / (std::min(a, b) + 0.05),
                      text == QPalette::HighlightedText ? 3.0 : 7.0);
        }
    }
}

TEST(Icon, EveryIconThatIsNamedExists) {
    for (const char* name : {"open", "file",   "analyze", "run",     "stop", "export",  "drop",  "measure",
                             "chat", "sample", "recent",  "close",   "copy", "warning", "error", "info",
                             "done", "search", "layers",  "results", "home", "figure"})
        EXPECT_FALSE(themedIcon(QLatin1String(name)).isNull()) << name;
    EXPECT_TRUE(themedIcon(QStringLiteral("no such icon")).isNull());
}

TEST(RunPanel, SaysWhatIsMissingBeforeItRuns) {
    RunPanel panel;
    panel.show();
    auto* run = panel.findChild<QPushButton*>(QStringLiteral("run"));
    auto* analyze = panel.findChild<QPushButton*>(QStringLiteral("analyze"));
    ASSERT_TRUE(run && analyze);
    EXPECT_FALSE(run->isEnabled());
    panel.setModelOpen(true);
    EXPECT_FALSE(run->isEnabled()) << "no calibration text";
    QTemporaryDir dir;
    QFile text(dir.filePath(QStringLiteral("c.txt")));
    ASSERT_TRUE(text.open(QIODevice::WriteOnly));
    auto* file = panel.findChild<QLineEdit*>(QStringLiteral("calibrationFile"));
    QTest::keyClicks(file, text.fileName());
    EXPECT_TRUE(analyze->isEnabled());
    EXPECT_FALSE(run->isEnabled()) << "no destination";
    QTest::keyClicks(panel.findChild<QLineEdit*>(QStringLiteral("runDirectory")), QStringLiteral("/tmp/run"));
    EXPECT_TRUE(run->isEnabled());
    QSignalSpy wanted(&panel, &RunPanel::runWanted);
    QTest::mouseClick(run, Qt::LeftButton);
    EXPECT_EQ(wanted.count(), 1);
    panel.setBusy(true);
    EXPECT_FALSE(run->isVisible());
    EXPECT_TRUE(panel.findChild<QPushButton*>(QStringLiteral("cancel"))->isVisible());
    panel.pressRun();
    EXPECT_EQ(wanted.count(), 1) << "not while another is running";
}

TEST(RunPanel, GivesBackTheSettingsItWasGiven) {
    RunPanel panel;
    RunSettings s;
    s.method = QStringLiteral("optq");
    s.bits = 4;
    s.targetBits = 4.005;
    s.grid = QStringLiteral("minmax");
    s.groupSize = 128;
    s.actOrder = s.symmetric = s.trueSequential = true;
    s.damping = 0.02;
    s.preset = QStringLiteral("best");
    s.device = QStringLiteral("cuda");
    s.allocation = QStringLiteral("greedy");
    s.metric = QStringLiteral("hessian");
    s.refinePasses = 5;
    s.inputCorrection = 0.5;
    s.storedScales = true;
    s.calibrationFile = QStringLiteral("/a/b.jsonl");
    s.samples = 16;
    s.sequenceLength = 512;
    s.seed = 7;
    s.out = QStringLiteral("/a/run");
    panel.setSettings(s);
    EXPECT_EQ(panel.settings(), s);
    panel.setSettings({});
    EXPECT_EQ(panel.settings(), RunSettings()) << "what is the recipe's own stays so";
}

TEST(JobsView, ShowsProgressTimeLeftAndOutcome) {
    JobsView view;
    view.show();
    JobRow row;
    row.id = 5;
    row.title = QStringLiteral("Quantize");
    row.state = JobRow::State::running;
    row.phase = QStringLiteral("Quantizing");
    row.fraction = 0.25;
    row.left = 75;
    view.put(row);
    auto* card = view.findChild<JobCard*>();
    ASSERT_TRUE(card);
    EXPECT_EQ(card->findChild<QProgressBar*>()->value(), 250);
    QStringList texts;
    for (QLabel* label : card->findChildren<QLabel*>()) texts << label->text();
    EXPECT_TRUE(texts.contains("25 % · 1 min 15 s left"));
    QSignalSpy cancel(&view, &JobsView::cancelWanted);
    QTest::mouseClick(card->findChild<QToolButton*>(), Qt::LeftButton);
    ASSERT_EQ(cancel.count(), 1);
    EXPECT_EQ(cancel.first().first().toULongLong(), 5u);
    row.state = JobRow::State::cancelled;
    view.put(row);
    EXPECT_TRUE(card->over());
    EXPECT_FALSE(card->findChild<QToolButton*>()->isVisible());
    EXPECT_EQ(view.findChildren<JobCard*>().size(), 1);
}

TEST(MessageBar, TellsCauseAndRemedyAndCopiesThem) {
    MessageBar bar;
    bar.show({MessageBar::Kind::error,
              QStringLiteral("shape <wrong>"),
              QStringLiteral("model.safetensors"),
              QStringLiteral("Download it again"),
              {}});
    EXPECT_TRUE(bar.isVisible());
    EXPECT_EQ(bar.text(), "shape <wrong>\nmodel.safetensors\nDownload it again");
    bool acted = false;
    bar.show({MessageBar::Kind::info, QStringLiteral("12 of 42"), {}, {}, {}}, QStringLiteral("Resume"),
             [&] { acted = true; });
    QTest::mouseClick(bar.findChild<QToolButton*>(QStringLiteral("messageAction")), Qt::LeftButton);
    EXPECT_TRUE(acted);
    EXPECT_FALSE(bar.isVisible());
}

TEST(ExportDialog, ChecksSpaceAndNameBeforeAndShowsWhatTheCheckFound) {
    QTemporaryDir dir;
    ExportDialog dialog(dir.filePath(QStringLiteral("run")), dir.path());
    dialog.setExpectedBytes(1e6, 9e9);
    dialog.setFreeSpace([](const QString&) { return 5e9; });
    auto* go = dialog.findChild<QPushButton*>(QStringLiteral("go"));
    auto* out = dialog.findChild<QLineEdit*>(QStringLiteral("destination"));
    EXPECT_EQ(out->text(), dir.filePath(QStringLiteral("run-owq")));
    EXPECT_TRUE(go->isEnabled());
    auto* format = dialog.findChild<QComboBox*>();
    format->setCurrentIndex(format->findData(QStringLiteral("dense")));
    EXPECT_FALSE(go->isEnabled()) << "9 GB do not fit into 5 GB";
    format->setCurrentIndex(format->findData(QStringLiteral("owq-pth")));
    EXPECT_EQ(out->text(), dir.filePath(QStringLiteral("run.pth")));
    out->setText(dir.path());
    EXPECT_FALSE(go->isEnabled()) << "something is there already";
    out->setText(dir.filePath(QStringLiteral("mine.pth")));
    EXPECT_EQ(dialog.request().task, "");
    QTest::keyClicks(dialog.findChild<QLineEdit*>(QStringLiteral("exportTask")), QStringLiteral("/tasks/sea.safetensors"));
    QSignalSpy wanted(&dialog, &ExportDialog::exportWanted);
    QTest::mouseClick(go, Qt::LeftButton);
    ASSERT_EQ(wanted.count(), 1);
    EXPECT_EQ(dialog.request().format, "owq-pth");
    EXPECT_EQ(dialog.request().task, "/tasks/sea.safetensors");
    EXPECT_FALSE(go->isEnabled());
    dialog.setDone(out->text(), 1.2e6, {QStringLiteral("codes equal")}, QStringLiteral("owq"));
    QStringList texts;
    for (QLabel* label : dialog.findChildren<QLabel*>()) texts << label->text();
    EXPECT_TRUE(texts.join(QLatin1Char(' ')).contains("codes equal"));
    EXPECT_TRUE(go->isEnabled());
}

TEST(StartPage, GreysWhatIsGone) {
    QTemporaryDir dir;
    StartPage page;
    page.setRecent({dir.path(), QStringLiteral("/no/such/model")});
    auto* list = page.findChild<QListWidget*>();
    ASSERT_EQ(list->count(), 2);
    EXPECT_TRUE(list->item(0)->flags() & Qt::ItemIsEnabled);
    EXPECT_FALSE(list->item(1)->flags() & Qt::ItemIsEnabled);
    page.show();
    QSignalSpy sample(&page, &StartPage::sampleWanted);
    QTest::mouseClick(page.findChild<QPushButton*>(QStringLiteral("openSample")), Qt::LeftButton);
    EXPECT_EQ(sample.count(), 1);
}

}  // namespace
}  // namespace owq
