// SPDX-License-Identifier: Apache-2.0
#include "widgets/results/results_model.h"

#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QComboBox>
#include <QCoreApplication>
#include <QHeaderView>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTableView>
#include <QTest>

#include "widgets/results/results_view.h"

namespace owq {
namespace {

ResultRow row(const char* path, bool original = false) {
    ResultRow r;
    r.path = QLatin1String(path);
    r.name = r.path.mid(1);
    r.original = original;
    r.state = QStringLiteral("finished");
    return r;
}

Measurements perplexity(const char* text, double value) {
    Measurements m;
    m.perplexity.insert(QLatin1String(text), value);
    return m;
}

TEST(ResultsModel, KeepsTheOriginalFirstAndReplacesByPath) {
    ResultsModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.put(row("/run1"));
    model.put(row("/model", true));
    ResultRow again = row("/run1");
    again.paperBits = 3.0501;
    model.put(again);
    ASSERT_EQ(model.rowCount(), 2);
    EXPECT_EQ(model.index(0, 0).data().toString(), "model");
    EXPECT_EQ(model.index(1, ResultsModel::paperColumn).data().toString(), "3.050");
    EXPECT_FALSE(model.index(0, ResultsModel::paperColumn).data().isValid());
}

TEST(ResultsModel, GivesEveryMeasuredTextAColumnWithTheDifferenceToTheOriginal) {
    ResultsModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.put(row("/model", true));
    model.put(row("/run1"));
    model.add(QStringLiteral("/run1"), perplexity("heldout.txt", 47.5));
    const int column = ResultsModel::fixedColumns;
    ASSERT_EQ(model.columnCount(), column + 1);
    EXPECT_EQ(model.headerData(column, Qt::Horizontal).toString(), "Perplexity: heldout.txt");
    EXPECT_EQ(model.index(1, column).data().toString(), "47.500");
    model.add(QStringLiteral("/model"), perplexity("heldout.txt", 45.75));
    EXPECT_EQ(model.index(1, column).data().toString(), "47.500  (+1.750)");
    EXPECT_DOUBLE_EQ(model.index(1, column).data(ResultsModel::sortRole).toDouble(), 47.5);
    model.put(row("/run1"));
    EXPECT_EQ(model.index(1, column).data().toString(), "47.500  (+1.750)")
        << "a summary read again keeps what was measured";
}

TEST(ResultsModel, ShowsTheShareOfRightAnswers) {
    ResultsModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.put(row("/run1"));
    Measurements measured;
    measured.accuracy.insert(QStringLiteral("own.jsonl"), 0.625);
    model.add(QStringLiteral("/run1"), measured);
    const int column = ResultsModel::fixedColumns;
    EXPECT_EQ(model.headerData(column, Qt::Horizontal).toString(), "Right: own.jsonl");
    EXPECT_EQ(model.index(0, column).data().toString(), "62.5 %");
    model.put(row("/run1"));
    EXPECT_EQ(model.index(0, column).data().toString(), "62.5 %");
}

TEST(ResultsModel, ShowsStandardErrorsAndKeepsDetailsForTheTip) {
    ResultsModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::Fatal);
    model.put(row("/run1"));
    const QString text = QStringLiteral("t"), questions = QStringLiteral("q");
    Measurements measured;
    measured.kl.insert(text, 0.02);
    measured.klError.insert(text, 0.001);
    measured.top1.insert(text, 0.9);
    measured.accuracy.insert(questions, 0.75);
    measured.accuracyError.insert(questions, 0.1);
    measured.byLength.insert(questions, 0.5);
    measured.details.insert(questions, QStringLiteral("own: 8 questions"));
    model.add(QStringLiteral("/run1"), measured);
    const auto shown = [&](const char* title, int role = Qt::DisplayRole) {
        for (int column = 0; column < model.columnCount(); ++column)
            if (model.headerData(column, Qt::Horizontal).toString() == QLatin1String(title)) return model.index(0, column).data(role).toString();
        return QString();
    };
    EXPECT_EQ(shown("KL: t"), QStringLiteral("0.02 ± 0.001"));
    EXPECT_EQ(shown("Top-1: t"), "90.0 %");
    EXPECT_EQ(shown("Right: q"), QStringLiteral("75.0 ± 10.0 %"));
    EXPECT_EQ(shown("Right by length: q"), "50.0 %");
    EXPECT_EQ(shown("Right by length: q", Qt::ToolTipRole), "own: 8 questions");
    EXPECT_EQ(shown("KL: t", Qt::ToolTipRole), "/run1") << "nothing more is known";
}

TEST(ResultsView, AsksForExamplesWhereQuestionsAreAsked) {
    ResultsView view;
    view.resize(1200, 300);
    view.show();
    auto* shots = view.findChild<QSpinBox*>(QStringLiteral("shots"));
    auto* examples = view.findChild<QLineEdit*>(QStringLiteral("examples"));
    EXPECT_FALSE(shots->isVisible() || examples->isVisible());
    EXPECT_EQ(view.measureSettings().shots, -1);
    QSignalSpy changed(&view, &ResultsView::measureSettingsChanged);
    auto* protocol = view.findChild<QComboBox*>(QStringLiteral("protocol"));
    protocol->setFocus();
    QTest::keyClick(protocol, Qt::Key_End);
    ASSERT_TRUE(shots->isVisible() && examples->isVisible());
    shots->setFocus();
    shots->selectAll();
    QTest::keyClicks(shots, QStringLiteral("3\t"));
    QTest::keyClicks(examples, QStringLiteral("/dev.jsonl"));
    QTest::keyClicks(view.findChild<QLineEdit*>(QStringLiteral("evaluationTask")), QStringLiteral("/t.safetensors"));
    const MeasureSettings settings = view.measureSettings();
    EXPECT_EQ(settings.shots, 3);
    EXPECT_EQ(settings.examples, "/dev.jsonl");
    EXPECT_EQ(settings.task, "/t.safetensors");
    EXPECT_GE(changed.count(), 4);
    ResultsView other;
    other.setMeasureSettings(settings);
    EXPECT_EQ(other.measureSettings(), settings);
}

TEST(ResultsModel, TakesANameOfOnesOwn) {
    ResultsModel model;
    model.put(row("/run1"));
    QSignalSpy renamed(&model, &ResultsModel::renamed);
    EXPECT_TRUE(model.flags(model.index(0, 0)) & Qt::ItemIsEditable);
    EXPECT_TRUE(model.setData(model.index(0, 0), QStringLiteral("best so far")));
    EXPECT_FALSE(model.setData(model.index(0, 0), QStringLiteral("  ")));
    EXPECT_FALSE(model.setData(model.index(0, 1), QStringLiteral("x")));
    ASSERT_EQ(renamed.count(), 1);
    EXPECT_EQ(renamed.first().at(1).toString(), "best so far");
}

TEST(ResultsView, FillsItsWidthWhenAColumnComesBetween) {
    ResultsView view;
    view.resize(1600, 300);
    view.show();
    view.model().put(row("/model", true));
    view.model().put(row("/run1"));
    QCoreApplication::processEvents();
    const auto filled = [&] { return view.table().horizontalHeader()->length() >= view.table().viewport()->width(); };
    EXPECT_TRUE(filled());
    view.model().add(QStringLiteral("/run1"), perplexity("heldout.txt", 20));
    QCoreApplication::processEvents();
    EXPECT_TRUE(filled());
}

TEST(ResultsView, OffersExportOfOneFinishedRunOnly) {
    ResultsView view;
    view.show();
    ResultRow unfinished = row("/run2");
    unfinished.finished = false;
    view.model().put(row("/model", true));
    view.model().put(row("/run1"));
    view.model().put(unfinished);
    auto* button = view.findChild<QPushButton*>(QStringLiteral("export"));
    ASSERT_TRUE(button);
    EXPECT_FALSE(button->isEnabled());
    view.select(QStringLiteral("/run2"));
    EXPECT_FALSE(button->isEnabled());
    view.select(QStringLiteral("/model"));
    EXPECT_FALSE(button->isEnabled());
    view.select(QStringLiteral("/run1"));
    ASSERT_TRUE(button->isEnabled());
    view.model().add(QStringLiteral("/run1"), perplexity("heldout.txt", 20));
    EXPECT_TRUE(button->isEnabled()) << "a new column leaves the selection whole";
    QSignalSpy wanted(&view, &ResultsView::exportWanted);
    QTest::mouseClick(button, Qt::LeftButton);
    ASSERT_EQ(wanted.count(), 1);
    EXPECT_EQ(wanted.first().first().toString(), "/run1");
}

}  // namespace
}  // namespace owq
