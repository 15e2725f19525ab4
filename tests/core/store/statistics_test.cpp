// SPDX-License-Identifier: Apache-2.0
#include "core/store/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "core/base/error.h"
#include "core/base/file.h"
#include "tests/core/checkpoint/temporary_folder.h"

namespace owq {
namespace {

using testing::HasSubstr;

StatisticsEntry entry(const std::string& name, int64_t columns) {
    StatisticsEntry e;
    e.name = name;
    e.rows = 48;
    e.columns = columns;
    e.bits = 3;
    e.damping = 0.01;
    e.weakColumns = {1, int32_t(columns) - 1};
    e.statistics.tokens = 262144;
    for (int64_t i = 0; i < columns; ++i) {
        const float v = float(i % 97) / 3;
        e.statistics.hessianDiagonal.push_back(v);
        e.statistics.columnMin.push_back(-v);
        e.statistics.columnMax.push_back(v + 1);
        e.statistics.columnError.push_back(v * v);
        e.statistics.sensitivity.push_back(v * v * v);
        if (i < columns - 2) e.statistics.columnLoss.push_back(v / 2);
        e.statistics.order.push_back(int32_t(columns - 1 - i));
    }
    return e;
}

StatisticsFile sample() {
    StatisticsFile all{"sample-opt µ", "opt", Json{{"bits", 3}, {"method", "owq"}}, {}};
    for (const char* name : {"z.first", "model.layers.10.fc1", "model.layers.2.fc2"}) all.layers.push_back(entry(name, 300));
    all.layers.push_back(entry("wide", 40000));
    StatisticsEntry bare;
    bare.name = "bare";
    bare.rows = bare.columns = 5;
    all.layers.push_back(bare);
    return all;
}

std::string refusal(const std::filesystem::path& file) {
    try {
        readStatistics(file);
    } catch (const Error& e) {
        return e.what();
    }
    return "accepted";
}

void expectEqual(const StatisticsFile& a, const StatisticsFile& b) {
    EXPECT_EQ(a.model, b.model);
    EXPECT_EQ(a.family, b.family);
    EXPECT_EQ(a.recipe, b.recipe);
    ASSERT_EQ(a.layers.size(), b.layers.size());
    for (size_t i = 0; i < a.layers.size(); ++i) {
        const StatisticsEntry &x = a.layers[i], &y = b.layers[i];
        EXPECT_EQ(x.name, y.name);
        EXPECT_EQ(x.rows, y.rows);
        EXPECT_EQ(x.columns, y.columns);
        EXPECT_EQ(x.bits, y.bits);
        EXPECT_EQ(x.damping, y.damping);
        EXPECT_EQ(x.weakColumns, y.weakColumns);
        EXPECT_EQ(x.statistics.tokens, y.statistics.tokens);
        EXPECT_EQ(x.statistics.hessianDiagonal, y.statistics.hessianDiagonal);
        EXPECT_EQ(x.statistics.columnMin, y.statistics.columnMin);
        EXPECT_EQ(x.statistics.columnMax, y.statistics.columnMax);
        EXPECT_EQ(x.statistics.columnError, y.statistics.columnError);
        EXPECT_EQ(x.statistics.sensitivity, y.statistics.sensitivity);
        EXPECT_EQ(x.statistics.columnLoss, y.statistics.columnLoss);
        EXPECT_EQ(x.statistics.order, y.statistics.order);
    }
}

TEST(Statistics, RoundTripKeepsValuesAndOrder) {
    TemporaryFolder folder;
    const StatisticsFile all = sample();
    writeStatistics(folder.path() / "statistics.h5", all);
    expectEqual(readStatistics(folder.path() / "statistics.h5"), all);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Statistics, OneLinearIsReadByItself) {
    TemporaryFolder folder;
    const StatisticsFile all = sample();
    const auto file = folder.path() / "statistics.h5";
    writeStatistics(file, all);
    for (const StatisticsEntry& e : all.layers)
        expectEqual({"", "", Json::object(), {readStatisticsEntry(file, e.name)}}, {"", "", Json::object(), {e}});
    const std::string whole = all.layers.front().name;
    for (const std::string& name : {std::string("none"), std::string(), std::string("."), std::string("/layers/") + whole, whole + "/order",
                                    whole + std::string("\0x", 2)})
        EXPECT_THROW(readStatisticsEntry(file, name), Error) << name;
}

TEST(Statistics, EqualInputGivesEqualBytes) {
    TemporaryFolder folder;
    writeStatistics(folder.path() / "a.h5", sample());
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // time stamps count in seconds
    writeStatistics(folder.path() / "b.h5", sample());
    EXPECT_EQ(readText(folder.path() / "a.h5"), readText(folder.path() / "b.h5"));
}

TEST(Statistics, ManyLayersAndALargeRecipe) {
    TemporaryFolder folder;
    StatisticsFile all{"m", "", Json{{"long", std::string(300000, 'x')}}, {}};
    for (int i = 0; i < 300; ++i) all.layers.push_back(entry("model.layers." + std::to_string(i), 8));
    writeStatistics(folder.path() / "a.h5", all);
    expectEqual(readStatistics(folder.path() / "a.h5"), all);
}

TEST(Statistics, WriterRefusesWhatDoesNotFit) {
    TemporaryFolder folder;
    const auto refused = [&](auto change) {
        StatisticsFile all = sample();
        change(all.layers[0]);
        EXPECT_THROW(writeStatistics(folder.path() / "a.h5", all), Error);
    };
    refused([](StatisticsEntry& e) { e.name = "a/b"; });
    refused([](StatisticsEntry& e) { e.name = "wide"; });
    refused([](StatisticsEntry& e) { e.columns = 0; });
    refused([](StatisticsEntry& e) { e.weakColumns = {3, 3}; });
    refused([](StatisticsEntry& e) { e.statistics.order[0] = 0; });
    refused([](StatisticsEntry& e) { e.statistics.sensitivity.pop_back(); });
    refused([](StatisticsEntry& e) { e.damping = NAN; });
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Statistics, OtherFilesAreRefusedByName) {
    TemporaryFolder folder;
    EXPECT_THAT(refusal(folder.path() / "none.h5"), HasSubstr("none.h5: does not exist"));
    writeText(folder.path() / "text.h5", "not HDF5");
    EXPECT_THAT(refusal(folder.path() / "text.h5"), HasSubstr("text.h5: is no HDF5 file"));
    EXPECT_THAT(refusal(folder.path()), HasSubstr("is no HDF5 file"));
}

TEST(Statistics, TruncationIsRefused) {
    TemporaryFolder folder;
    StatisticsFile all{"m", "f", Json::object(), {entry("a", 20)}};
    writeStatistics(folder.path() / "a.h5", all);
    const std::string good = readText(folder.path() / "a.h5");
    for (size_t n = 0; n < good.size(); n += 11) {
        writeQuickly(folder.path() / "b.h5", good.substr(0, n));
        EXPECT_THROW(readStatistics(folder.path() / "b.h5"), Error) << n;
    }
}

}  // namespace
}  // namespace owq
