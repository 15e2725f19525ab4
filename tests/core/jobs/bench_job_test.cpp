// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "core/base/error.h"
#include "core/model/model_source.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

namespace fs = std::filesystem;

/// Short: what is measured is not looked at, only what it is measured of.
BenchOptions quick(const fs::path& model, const fs::path& folder = {}) {
    BenchOptions o;
    o.model = model;
    o.modelFolder = folder;
    o.workingSet = 1 << 20;
    o.seconds = 0.001;
    o.promptTokens = 5;
    o.newTokens = 3;
    return o;
}

BenchResult measured(const BenchOptions& options) {
    Progress progress;
    return bench(options, progress, {});
}

TEST(BenchJob, MeasuresEachShapeOfAQuantizedModelOnce) {
    const fs::path sample = fs::path(OWQ_SAMPLE) / "sample-llama", file = fs::path(OWQ_TEST_DATA) / "reference/llama/owq3.05.pth";
    TemporaryFolder folder;
    BenchOptions o = quick(file, sample);
    o.batches = {1, 3};
    o.csv = folder / "layers.csv";
    const BenchResult r = measured(o);
    const auto source = ModelSource::open(file, sample);
    std::map<std::tuple<int64_t, int64_t, int64_t>, int64_t> expected;
    for (const LinearInfo& l : source->info().linears) expected[{l.rows, l.columns, int64_t(source->linear(l.name).weakColumns.size())}]++;
    ASSERT_EQ(r.layers.size(), 2 * expected.size());
    for (const BenchLayer& l : r.layers) {
        const int64_t count = expected.at({l.rows, l.columns, l.weakColumns});
        EXPECT_EQ(l.count, count);
        EXPECT_EQ(l.bits, 3);
        EXPECT_GT(std::min({l.seconds, l.withoutWeakSeconds, l.halfSeconds, l.floatSeconds}), 0);
        EXPECT_GE(double(l.bytes), double(l.rows * l.columns) * 3 / 8);
    }
    ASSERT_EQ(r.totals.size(), 2u);
    double seconds = 0;
    for (const BenchLayer& l : r.layers)
        if (l.batch == 3) seconds += double(l.count) * l.seconds;
    EXPECT_NEAR(r.totals[1].tokensPerSecond * seconds, 3, 1e-9);
    ASSERT_TRUE(r.whole);
    EXPECT_EQ(r.whole->newTokens, 3);
    EXPECT_GT(r.whole->decodeSeconds, 0);
    const Json json = toJson(r);
    EXPECT_EQ(json["layers"].size(), r.layers.size());
    EXPECT_TRUE(json["packed_linears"][0]["bits"].is_null());
    EXPECT_GT(json["whole_model"]["decode_tokens_per_second"].get<double>(), 0);
    std::ifstream table(o.csv);
    std::string text;
    size_t rows = 0;
    while (std::getline(table, text)) {
        EXPECT_EQ(std::count(text.begin(), text.end(), ','), 14) << text;
        rows++;
    }
    EXPECT_EQ(rows, r.layers.size() + 1);
}

TEST(BenchJob, PlansWidthsForAModelThatIsNotQuantized) {
    BenchOptions o = quick(fs::path(OWQ_SAMPLE) / "sample-opt");
    o.bits = {2, 4};
    o.newTokens = 0;
    const BenchResult r = measured(o);
    std::set<int> widths;
    int64_t linears = 0;
    for (const BenchLayer& l : r.layers) {
        widths.insert(l.bits);
        linears += l.count;
    }
    EXPECT_EQ(widths, (std::set<int>{2, 4}));
    EXPECT_EQ(linears, 2 * int64_t(ModelSource::open(o.model)->info().linears.size()));
    EXPECT_FALSE(r.whole);
    EXPECT_EQ(toJson(r)["packed_linears"][1]["bits"], 4);
}

/// Rows, columns, linears of the model, what is merged.
using Shape = std::tuple<int64_t, int64_t, int64_t, std::string>;
std::set<Shape> shapesOf(const std::string& synthetic, int64_t groupSize = 0) {
    BenchOptions o;
    o.synthetic = synthetic;
    o.bits = {4};
    o.groupSize = groupSize;
    std::set<Shape> shapes;
    for (const BenchLayer& l : benchLayers(o, {})) {
        shapes.insert({l.rows, l.columns, l.count, l.merged});
        EXPECT_GT(l.weakColumns, 0);
        EXPECT_EQ(l.groupSize, groupSize);
    }
    return shapes;
}

TEST(BenchJob, SyntheticModelsHaveMergedShapesThatCountForNothing) {
    EXPECT_EQ(shapesOf("llama-7b"), (std::set<Shape>{{4096, 4096, 128, ""}, {11008, 4096, 64, ""}, {4096, 11008, 32, ""},
                                                     {12288, 4096, 0, "q+k+v"}, {22016, 4096, 0, "gate+up"}}));
    EXPECT_EQ(shapesOf("opt-66b", 128), (std::set<Shape>{{9216, 9216, 256, ""}, {36864, 9216, 64, ""}, {9216, 36864, 64, ""}, {27648, 9216, 0, "q+k+v"}}));
    EXPECT_EQ(shapesOf("llama-70b"), (std::set<Shape>{{8192, 8192, 160, ""}, {1024, 8192, 160, ""}, {28672, 8192, 160, ""}, {8192, 28672, 80, ""},
                                                      {10240, 8192, 0, "q+k+v"}, {57344, 8192, 0, "gate+up"}}));
}

TEST(BenchJob, GroupsAreOfLayersThatAreNotQuantized) {
    BenchOptions o = quick(fs::path(OWQ_SAMPLE) / "sample-opt");
    o.bits = {3};
    o.groupSize = 64;
    o.newTokens = 0;
    const BenchResult r = measured(o);
    for (const BenchLayer& l : r.layers) {
        EXPECT_EQ(l.groupSize, 64);
        EXPECT_GE(double(l.bytes), double(l.rows * l.columns) * (3.0 / 8 + 8.0 / 64)) << "codes, and two floats a group";
    }
    EXPECT_EQ(r.deviceName, "CPU");
    EXPECT_EQ(toJson(r)["device"], "cpu");
    o.groupSize = 48;
    EXPECT_THROW(measured(o), Error);
}

TEST(BenchJob, MeasuresTheHeadApart) {
    BenchOptions o = quick(fs::path(OWQ_SAMPLE) / "sample-llama");
    o.bits = {3};
    const BenchResult stored = measured(o);
    o.headBits = 4;
    const BenchResult rounded = measured(o);
    ASSERT_TRUE(stored.head && rounded.head);
    EXPECT_EQ(stored.head->bits, 16);
    EXPECT_EQ(stored.head->rows, 4096);
    EXPECT_EQ(stored.head->columns, 256);
    EXPECT_EQ(stored.head->bytes, 2u * 4096 * 256);
    EXPECT_GE(rounded.head->bytes, 4096u * 256 / 2);
    EXPECT_LT(rounded.head->bytes, 4096u * 256 * 5 / 8);
    EXPECT_EQ(stored.layers.size(), rounded.layers.size());
    EXPECT_TRUE(rounded.whole);
    EXPECT_EQ(toJson(rounded)["head"]["bits"], 4);
}

TEST(BenchJob, RefusesWhatCannotBe) {
    const fs::path sample = fs::path(OWQ_SAMPLE) / "sample-opt";
    BenchOptions o = quick(sample);
    o.synthetic = "llama-7b";
    EXPECT_THROW(measured(o), Error);
    o = quick({});
    o.synthetic = "llama-8b";
    EXPECT_THROW(measured(o), Error);
    o = quick(sample);
    o.bits = {5};
    EXPECT_THROW(measured(o), Error);
    o = quick(sample);
    o.promptTokens = 600;
    EXPECT_THROW(measured(o), Error);
    o = quick(sample);
    o.arithmetic = Arithmetic::dense;
    EXPECT_THROW(measured(o), Error);
    o = quick(sample);
    o.headBits = 5;
    EXPECT_THROW(measured(o), Error);
    o = quick({});
    o.synthetic = "llama-7b";
    o.headBits = 4;
    EXPECT_THROW(measured(o), Error);
    o = quick(sample);
    o.groupSize = -32;
    EXPECT_THROW(measured(o), Error);
    std::stop_source stop;
    stop.request_stop();
    Progress progress;
    EXPECT_THROW(bench(quick(sample), progress, stop.get_token()), Cancelled);
}

}  // namespace
}  // namespace owq
