// SPDX-License-Identifier: Apache-2.0
#include "widgets/results/results_model.h"

#include <gtest/gtest.h>

#include <QAbstractItemModelTester>
#include <QPushButton>
#include <QSignalSpy>
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
    model.setPerplexity(QStringLiteral("/run1"), QStringLiteral("heldout.txt"), 47.5);
    const int column = ResultsModel::fixedColumns;
    ASSERT_EQ(model.columnCount(), column + 1);
    EXPECT_EQ(model.headerData(column, Qt::Horizontal).toString(), "Perplexity: heldout.txt");
    EXPECT_EQ(model.index(1, column).data().toString(), "47.500");
    model.setPerplexity(QStringLiteral("/model"), QStringLiteral("heldout.txt"), 45.75);
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
    model.setAccuracy(QStringLiteral("/run1"), QStringLiteral("own.jsonl"), 0.625);
    const int column = ResultsModel::fixedColumns;
    EXPECT_EQ(model.headerData(column, Qt::Horizontal).toString(), "Right: own.jsonl");
    EXPECT_EQ(model.index(0, column).data().toString(), "62.5 %");
    model.put(row("/run1"));
    EXPECT_EQ(model.index(0, column).data().toString(), "62.5 %");
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
    view.model().setPerplexity(QStringLiteral("/run1"), QStringLiteral("heldout.txt"), 20);
    EXPECT_TRUE(button->isEnabled()) << "a new column leaves the selection whole";
    QSignalSpy wanted(&view, &ResultsView::exportWanted);
    QTest::mouseClick(button, Qt::LeftButton);
    ASSERT_EQ(wanted.count(), 1);
    EXPECT_EQ(wanted.first().first().toString(), "/run1");
}

}  // namespace
}  // namespace owq
