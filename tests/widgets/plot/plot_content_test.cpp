// SPDX-License-Identifier: Apache-2.0
#include "widgets/plot/plot_content.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>

#include "tests/widgets/curves.h"
#include "widgets/column_range/column_range_content.h"
#include "widgets/cumulative_error/cumulative_error_content.h"
#include "widgets/error_saved/error_saved_content.h"
#include "widgets/hessian/hessian_content.h"
#include "widgets/sensitivity/sensitivity_content.h"

namespace owq {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;
using ::testing::Pointwise;
using Curves = std::vector<LayerCurvesPtr>;

TEST(PlotContent, HessianByIndexIsTheDiagonal) {
    const PlotContent content = hessianContent(Curves{testing::sixColumns()}, XMode::Index);
    ASSERT_EQ(content.blocks.size(), 1U);
    EXPECT_THAT(content.blocks[0].values[0], ElementsAre(1, 10, 2, 4, 1000, 0));
    EXPECT_THAT(content.blocks[0].column, ElementsAre(0, 1, 2, 3, 4, 5));
    EXPECT_THAT(content.blocks[0].weak, ElementsAre(0, 1, 0, 0, 1, 0));
    EXPECT_EQ(content.length, 6);
}

TEST(PlotContent, TheMostSensitiveAreTheFirstOfTheRanking) {
    LayerCurves curves;
    curves.columns = 300;
    for (int j = 0; j < 300; ++j) curves.sensitivity.push_back(j % 50 == 3 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(j * 37 % 41));
    const std::vector<int> ranking = weakRanking(curves);
    for (const int k : {-1, 0, 1, 7, 60, 299, 300, 1000}) {
        std::vector<int> first(ranking.begin(), ranking.begin() + std::clamp(k, 0, 300));
        EXPECT_THAT(mostSensitive(curves, k), ::testing::UnorderedElementsAreArray(first)) << k;
    }
    curves.sensitivity.clear();
    EXPECT_THAT(mostSensitive(curves, 5), ::testing::IsEmpty());
}

TEST(PlotContent, ZeroOnALogAxisIsDrawnAtTheStatedFloorAndCounted) {
    const PlotContent content = hessianContent(Curves{testing::sixColumns()}, XMode::Index);
    EXPECT_EQ(content.logFloor, 1.0);
    EXPECT_EQ(content.clamped, 1);
    EXPECT_EQ(content.drawn(0), 1.0);
    EXPECT_TRUE(std::isnan(content.drawn(std::numeric_limits<double>::infinity())));
    const ValueRange range = yRange(content, 0, 5);
    EXPECT_GT(range.lower, 0);
    EXPECT_LE(range.lower, 1.0);
    EXPECT_GT(range.upper, 1000);
}

TEST(PlotContent, LogFloorIsAtMostTwelveDecadesDown) {
    auto curves = testing::sixColumns();
    curves->hessianDiagonal = {1e-30F, 10, 2, 4, 1000, -3};
    const PlotContent content = hessianContent(Curves{curves}, XMode::Index);
    EXPECT_DOUBLE_EQ(content.logFloor, 1e-9);
    EXPECT_EQ(content.clamped, 2);
}

TEST(PlotContent, AllZeroHessianHasARangeToDraw) {
    auto curves = testing::sixColumns();
    curves->hessianDiagonal.assign(6, 0.0F);
    const PlotContent content = hessianContent(Curves{curves}, XMode::Index);
    const ValueRange range = yRange(content, 0, 5);
    EXPECT_GT(range.lower, 0);
    EXPECT_GT(range.upper, range.lower);
}

TEST(PlotContent, RankAscendsByInfluenceAndEndsWithTheWeakColumns) {
    const PlotContent content = sensitivityContent(Curves{testing::sixColumns()}, XMode::Rank);
    EXPECT_THAT(content.blocks[0].column, ElementsAre(5, 0, 3, 2, 1, 4));
    EXPECT_THAT(content.blocks[0].weak, ElementsAre(0, 0, 0, 0, 1, 1));
    ASSERT_TRUE(content.blocks[0].cut);
    EXPECT_DOUBLE_EQ(*content.blocks[0].cut, 3.5);
}

TEST(PlotContent, TiesRankTheLowerColumnHigher) {
    auto curves = testing::sixColumns();
    curves->sensitivity.assign(6, 1.0F);
    EXPECT_THAT(columnOrder(*curves, XMode::Rank), ElementsAre(5, 4, 3, 2, 1, 0));
}

TEST(PlotContent, NanDoesNotBreakTheRanking) {
    auto curves = testing::sixColumns();
    curves->sensitivity[2] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_THAT(columnOrder(*curves, XMode::Rank), ElementsAre(2, 5, 0, 3, 1, 4));
}

TEST(PlotContent, HessianOrderDescends) {
    EXPECT_THAT(columnOrder(*testing::sixColumns(), XMode::HessianOrder), ElementsAre(4, 1, 3, 2, 0, 5));
}

TEST(PlotContent, CutByIndexIsASensitivityBetweenWeakAndQuantized) {
    const PlotContent content = sensitivityContent(Curves{testing::sixColumns()}, XMode::Index);
    ASSERT_TRUE(content.blocks[0].cut);
    EXPECT_DOUBLE_EQ(*content.blocks[0].cut, std::sqrt(20.0 * 8.0));
}

TEST(PlotContent, CumulativePredictionIsHalfTheSensitivityAddedUp) {
    const PlotContent content = cumulativeErrorContent(Curves{testing::sixColumns()}, XMode::Index, ErrorScale::Absolute);
    EXPECT_EQ(content.xMode, XMode::Rank);
    EXPECT_THAT(content.blocks[0].values[0], ElementsAre(0, 1, 3, 7, 17, 517));
    EXPECT_FALSE(content.blocks[0].hasValue(1)) << "nothing was measured";
}

TEST(PlotContent, MeasuredLossIsTakenBackFromTheOrderOfQuantization) {
    auto curves = testing::sixColumns();
    curves->measured = true;
    curves->order = {3, 2, 0, 5, 4, 1};
    curves->columnLoss = {30, 20, 10, 50};  // of columns 3, 2, 0, 5; the weak ones add nothing
    const PlotContent content = cumulativeErrorContent(Curves{curves}, XMode::Rank, ErrorScale::Absolute);
    EXPECT_THAT(content.blocks[0].values[1], ElementsAre(50, 60, 90, 110, 110, 110));
}

TEST(PlotContent, ShareEndsAtOne) {
    const PlotContent content = cumulativeErrorContent(Curves{testing::sixColumns()}, XMode::Rank, ErrorScale::Share);
    EXPECT_DOUBLE_EQ(content.blocks[0].values[0].back(), 1.0);
    EXPECT_DOUBLE_EQ(content.blocks[0].values[0][2], 3.0 / 517);
}

TEST(PlotContent, OrderOutsideTheMatrixIsNotMeasured) {
    auto curves = testing::sixColumns();
    curves->measured = true;
    curves->order = {3, 99};
    curves->columnLoss = {1, 1};
    EXPECT_FALSE(cumulativeErrorContent(Curves{curves}, XMode::Rank, ErrorScale::Absolute).blocks[0].hasValue(1));
}

TEST(PlotContent, VectorsOfTheWrongLengthAreIgnored) {
    auto curves = testing::sixColumns();
    curves->hessianDiagonal.pop_back();
    curves->columnMax.clear();
    EXPECT_TRUE(hessianContent(Curves{curves}, XMode::Index).empty());
    EXPECT_TRUE(columnRangeContent(Curves{curves}, XMode::Index).empty());
}

TEST(PlotContent, EmptyStateSaysWhatToDo) {
    EXPECT_EQ(hessianContent(Curves{}, XMode::Index).emptyText, QStringLiteral("Select a linear in the layer tree to see its Hessian diagonal"));
    auto curves = testing::sixColumns();
    curves->hessianDiagonal.clear();
    curves->measured = false;
    EXPECT_EQ(hessianContent(Curves{curves}, XMode::Index).emptyText, QStringLiteral("Run Analyze to see the Hessian diagonal"));
    curves->measured = true;  // by a run that needs no calibration
    EXPECT_EQ(hessianContent(Curves{curves}, XMode::Index).emptyText,
              QStringLiteral("This run has looked at weights alone. Under Showing, choose the unquantized model"));
}

TEST(PlotContent, TableTextHoldsTheRowsOfTheRange) {
    const PlotContent content = columnRangeContent(Curves{testing::sixColumns(QStringLiteral("fc1"))}, XMode::Index);
    EXPECT_EQ(tableText(content, TableFormat::Tsv, 0.5, 2.4),
              QStringLiteral("linear\tcolumn\tposition\tcolumn_min\tcolumn_max\tweak\n"
                             "fc1\t1\t1\t-2\t2\t1\n"
                             "fc1\t2\t2\t-3\t1\t0\n"));
    EXPECT_EQ(tableText(content, TableFormat::Csv).count(QLatin1Char('\n')), 7);
}

TEST(PlotContent, CellTextReadsBackAsTheSameFloat) {
    for (const float value : {0.1F, 1.0F / 3, 3.4e38F, 1e-40F, -12345.678F})
        EXPECT_EQ(cellText(static_cast<double>(value)).toFloat(), value);
    EXPECT_EQ(cellText(std::numeric_limits<double>::quiet_NaN()), QString());
}

TEST(ErrorSaved, IsWhatTheMostSensitiveColumnsMakeUp) {
    const std::vector<LayerCurvesPtr> curves{testing::sixColumns()};  // sensitivity 2, 20, 8, 4, 1000, 0
    const PlotContent content = errorSavedContent(curves);
    ASSERT_EQ(content.blocks.size(), 1u);
    const PlotBlock& block = content.blocks[0];
    EXPECT_EQ(block.column, (std::vector<int>{-1, 4, 1, 2, 3, 0, 5}));
    EXPECT_EQ(block.weak, (std::vector<char>{0, 1, 1, 0, 0, 0, 0}));
    const double expected[] = {0, 1000, 1020, 1028, 1032, 1034, 1034};
    for (size_t k = 0; k < 7; ++k) EXPECT_NEAR(block.values[0][k], expected[k] / 1034, 1e-12) << k;
}

TEST(ErrorSaved, EndsBeyondWhatIsKeptAndNeedsSensitivities) {
    auto bare = std::make_shared<LayerCurves>(*testing::sixColumns());
    bare->sensitivity.clear();
    EXPECT_TRUE(errorSavedContent(std::vector<LayerCurvesPtr>{bare}).empty());
    const std::vector<LayerCurvesPtr> both{testing::manyColumns(500, QStringLiteral("model.layers.1.mlp.up_proj")), bare};
    const PlotContent content = errorSavedContent(both);
    ASSERT_EQ(content.blocks.size(), 1u) << "what is not known is left out";
    EXPECT_EQ(content.length, 33);
    EXPECT_TRUE(std::is_sorted(content.blocks[0].values[0].begin(), content.blocks[0].values[0].end()));
    auto keeps = std::make_shared<LayerCurves>(*both[0]);
    for (int j = 0; j < 40; ++j) keeps->weakColumns.push_back(j);
    EXPECT_EQ(errorSavedContent(std::vector<LayerCurvesPtr>{keeps}).length, 81);
}

}  // namespace
}  // namespace owq
