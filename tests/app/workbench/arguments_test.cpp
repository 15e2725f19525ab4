// SPDX-License-Identifier: Apache-2.0
#include "app/workbench/arguments.h"

#include <gtest/gtest.h>

namespace owq {
namespace {

using Mode = Arguments::Mode;

TEST(Arguments, OpenTheWindowOnWhatIsNamed) {
    EXPECT_EQ(parseArguments({}).mode, Mode::window);
    const Arguments a = parseArguments({"/models/opt"});
    EXPECT_EQ(a.mode, Mode::window);
    EXPECT_EQ(a.path, "/models/opt");
    EXPECT_EQ(parseArguments({"a", "b"}).mode, Mode::wrong);
    EXPECT_EQ(parseArguments({"--version"}).mode, Mode::version);
    EXPECT_EQ(parseArguments({"x", "--help"}).mode, Mode::help);
}

TEST(Arguments, AskForAFigure) {
    const Arguments a =
        parseArguments({"--render-figure", "run", "--kind", "hessian", "--layer=l.0.q", "--out", "f.pdf",
                        "--width-mm", "175.5", "--font-pt=9", "--csv", "f.csv"});
    ASSERT_EQ(a.mode, Mode::renderFigure) << a.message.toStdString();
    EXPECT_EQ(a.directory, "run");
    EXPECT_EQ(a.layers, QStringList("l.0.q"));
    EXPECT_DOUBLE_EQ(a.widthMm, 175.5);
    EXPECT_DOUBLE_EQ(a.heightMm, 60);
    EXPECT_DOUBLE_EQ(a.fontPt, 9);
    EXPECT_EQ(a.csv, "f.csv");
    EXPECT_DOUBLE_EQ(a.linePt, 0.8);
    EXPECT_DOUBLE_EQ(a.dpi, 600);
    EXPECT_FALSE(a.share);
}

TEST(Arguments, AskForAFigureOfSeveralCurves) {
    const Arguments a = parseArguments({"--render-figure", "run", "--share", "--kind", "cumulative-error", "--layer", "l.0.q", "--layer=l.1.q", "--compare", "other",
                                        "--columns-by", "rank", "--line-pt", "1.5", "--dpi", "300", "--out", "f.png"});
    ASSERT_EQ(a.mode, Mode::renderFigure) << a.message.toStdString();
    EXPECT_EQ(a.layers, QStringList({"l.0.q", "l.1.q"}));
    EXPECT_EQ(a.compare, "other");
    EXPECT_EQ(a.columnsBy, "rank");
    EXPECT_TRUE(a.share);
    EXPECT_DOUBLE_EQ(a.linePt, 1.5);
    EXPECT_DOUBLE_EQ(a.dpi, 300);
}

TEST(Arguments, RefuseWhatCannotBeMeant) {
    for (const QStringList& bad :
         {QStringList{"--render-figure"},
          {"--render-figure", "run", "--kind", "hessian", "--layer", "l"},
          {"--render-figure", "run", "--layer", "l", "--out", "o"},
          {"--kind", "hessian"},
          {"--share"},
          {"--layer", "l"},
          {"--nonsense"},
          {"--render-figure", "r", "--kind", "k", "--layer", "l", "--out", "o", "--width-mm", "-3"},
          {"--render-figure", "r", "--kind", "k", "--layer", "l", "--out", "o", "--font-pt", "nan"},
          {"--render-figure", "r", "--kind", "k", "--layer", "l", "--out", "o", "--dpi", "0"},
          {"--render-figure", "r", "--kind", "k", "--layer", "l", "--out", "o", "extra"}}) {
        const Arguments a = parseArguments(bad);
        EXPECT_EQ(a.mode, Mode::wrong) << bad.join(' ').toStdString();
        EXPECT_FALSE(a.message.isEmpty());
    }
}

}  // namespace
}  // namespace owq
