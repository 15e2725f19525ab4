// SPDX-License-Identifier: Apache-2.0
#include "widgets/help/help_window.h"

#include <gtest/gtest.h>

#include <QListWidget>
#include <QScrollBar>
#include <QTest>
#include <QTextBlock>
#include <QTextBrowser>

namespace owq {
namespace {

TEST(HelpWindow, OpensPagesAtTheirHeadings) {
    HelpWindow help(QStringLiteral(OWQ_SOURCE_DIR "/resources/help"));
    help.show();
    ASSERT_TRUE(QTest::qWaitForWindowExposed(&help));
    auto* text = help.findChild<QTextBrowser*>();
    EXPECT_TRUE(help.showTopic(QStringLiteral("method#how-many-weak-columns")));
    EXPECT_EQ(text->textCursor().block().text(), "How many weak columns");
    EXPECT_GT(text->verticalScrollBar()->value(), 0);
    EXPECT_TRUE(help.showTopic(QStringLiteral("window")));
    EXPECT_EQ(text->verticalScrollBar()->value(), 0);
    for (const char* plot : {"hessian-diagonal", "column-range", "cumulative-error", "sensitivity", "error-saved"})
        EXPECT_TRUE(help.showTopic(QStringLiteral("plots#") + QLatin1String(plot))) << plot;
    EXPECT_FALSE(help.showTopic(QStringLiteral("nothing")));
    EXPECT_FALSE(help.showTopic(QStringLiteral("window#nothing")));
}

TEST(HelpWindow, EveryEntryOfTheContentsLeadsSomewhere) {
    HelpWindow help(QStringLiteral(OWQ_SOURCE_DIR "/resources/help"));
    auto* contents = help.findChild<QListWidget*>();
    ASSERT_GT(contents->count(), 15);
    for (int i = 0; i < contents->count(); ++i)
        EXPECT_TRUE(help.showTopic(contents->item(i)->data(Qt::UserRole).toString())) << contents->item(i)->text().toStdString();
}

TEST(HelpWindow, SaysWhatToDoWithoutPages) {
    HelpWindow help(QStringLiteral("/nowhere"));
    EXPECT_TRUE(help.findChild<QTextBrowser*>()->toPlainText().contains("Install the program"));
}

TEST(HelpWindow, SlugsAreLowerCaseWords) {
    EXPECT_EQ(HelpWindow::slug(QStringLiteral("`owq`: a folder")), "owq-a-folder");
    EXPECT_EQ(HelpWindow::slug(QStringLiteral("Refinement, and the recipe best")), "refinement-and-the-recipe-best");
}

}  // namespace
}  // namespace owq
