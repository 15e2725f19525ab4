// SPDX-License-Identifier: Apache-2.0
#include "widgets/tour/tour.h"

#include <gtest/gtest.h>

#include <QApplication>
#include <QFrame>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTest>

namespace owq {
namespace {

class TourTest : public testing::Test {
protected:
    TourTest() {
        window.resize(900, 600);
        left = new QLineEdit(&window);
        left->setGeometry(10, 10, 200, 500);
        right = new QWidget(&window);
        right->setGeometry(600, 10, 290, 400);
        window.show();
        window.activateWindow();
        EXPECT_TRUE(QTest::qWaitForWindowActive(&window));
        left->setFocus();
        tour = new Tour({{left, QStringLiteral("Left"), QStringLiteral("The left one."), {}},
                         {right, QStringLiteral("Right"), QStringLiteral("The right one."), [this] { ++prepared; }}},
                        &window);
    }
    QPushButton* button(const char* name) { return tour->findChild<QPushButton*>(QLatin1String(name)); }
    QRect bubble() { return tour->findChild<QFrame*>(QStringLiteral("tourBubble"))->geometry(); }
    QWidget window;
    QLineEdit* left;
    QWidget* right;
    QPointer<Tour> tour;
    int prepared = 0;
};

TEST_F(TourTest, PointsAtEachPlaceBesideIt) {
    EXPECT_TRUE(tour->highlighted().contains(left->geometry()));
    EXPECT_FALSE(bubble().intersects(left->geometry()));
    EXPECT_TRUE(tour->rect().contains(bubble()));
    QTest::mouseClick(button("tourNext"), Qt::LeftButton);
    EXPECT_EQ(tour->current(), 1);
    EXPECT_EQ(prepared, 1);
    EXPECT_TRUE(tour->highlighted().contains(right->geometry()));
    EXPECT_FALSE(bubble().intersects(right->geometry()));
    window.resize(1000, 700);
    EXPECT_TRUE(QTest::qWaitFor([&] { return tour->size() == window.size(); }));
}

TEST_F(TourTest, IsLedByKeysAndGivesTheFocusBack) {
    QSignalSpy ended(tour, &Tour::ended);
    EXPECT_TRUE(button("tourNext")->hasFocus());
    QTest::keyClick(button("tourNext"), Qt::Key_Right);
    EXPECT_EQ(tour->current(), 1);
    QTest::keyClick(button("tourNext"), Qt::Key_Left);
    EXPECT_EQ(tour->current(), 0);
    for (int i = 0; i < 5; ++i) {
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
        EXPECT_TRUE(tour->isAncestorOf(QApplication::focusWidget())) << "the keyboard stays in the call-out";
    }
    button("tourNext")->setFocus();
    QTest::keyClick(button("tourNext"), Qt::Key_Escape);
    EXPECT_EQ(ended.count(), 1);
    EXPECT_TRUE(left->hasFocus());
    EXPECT_TRUE(QTest::qWaitFor([&] { return tour.isNull(); }));
}

TEST_F(TourTest, EndsAfterTheLastStop) {
    QTest::keyClick(button("tourNext"), Qt::Key_Return);
    EXPECT_EQ(button("tourNext")->text().remove(QLatin1Char('&')), "Done");
    QTest::keyClick(button("tourNext"), Qt::Key_Return);
    EXPECT_TRUE(QTest::qWaitFor([&] { return tour.isNull(); }));
}

}  // namespace
}  // namespace owq
