// SPDX-License-Identifier: Apache-2.0
#include "widgets/plot/palette.h"

#include <gtest/gtest.h>

#include <set>

namespace owq {
namespace {

TEST(Palette, KindKeepsItsColorInAnyCompany) {
    const auto alone = seriesLooks({QStringLiteral("k_proj")});
    const auto company = seriesLooks({QStringLiteral("down_proj"), QStringLiteral("q_proj"), QStringLiteral("k_proj")});
    EXPECT_EQ(alone[0].color, company[2].color);
    EXPECT_NE(company[0].color, company[1].color);
}

TEST(Palette, SevenOfOneKindDifferInColorFurtherOnesInDash) {
    QStringList kinds;
    for (int i = 0; i < 8; ++i) kinds << QStringLiteral("q_proj");
    const auto looks = seriesLooks(kinds);
    std::set<int> colors;
    for (int i = 0; i < 7; ++i) colors.insert(looks[static_cast<size_t>(i)].color);
    EXPECT_EQ(colors.size(), 7U);
    EXPECT_EQ(looks[7].color, looks[0].color);
    EXPECT_NE(looks[7].dash, looks[0].dash);
    EXPECT_NE(looks[7].marker, looks[0].marker);
}

TEST(Palette, DarkPaletteGivesADarkTheme) {
    QPalette palette;
    palette.setColor(QPalette::Base, QColor(30, 30, 30));
    palette.setColor(QPalette::Text, Qt::white);
    EXPECT_TRUE(PlotTheme::fromPalette(palette).dark);
    EXPECT_FALSE(PlotTheme::paper().dark);
    EXPECT_NE(seriesColor(0, PlotTheme::fromPalette(palette)), seriesColor(0, PlotTheme::paper()));
}

}  // namespace
}  // namespace owq
