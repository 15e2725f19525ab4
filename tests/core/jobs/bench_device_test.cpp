// SPDX-License-Identifier: Apache-2.0
// owq bench on a GPU, which here is host memory with a GPU's door.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/error.h"
#include "core/jobs/bench.h"
#include "core/jobs/device_timing.h"
#include "kernels/cuda/loader.h"
#include "tests/core/device/emulated_cuda.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using testing::emulatedDevice;
using ::testing::HasSubstr;
namespace emulated = testing::emulated;

constexpr int64_t kWorkingSet = 1 << 20;

BenchOptions quick() {
    BenchOptions o;
    o.model = fs::path(OWQ_TEST_DATA) / "reference/llama/owq3.05.pth";
    o.modelFolder = fs::path(OWQ_SAMPLE) / "sample-llama";
    o.device = DeviceKind::cuda;
    o.workingSet = kWorkingSet;
    o.seconds = 0;
    o.promptTokens = 5;
    o.newTokens = 3;
    return o;
}

BenchResult measured(const BenchOptions& options) {
    Progress progress;
    return benchOn(emulatedDevice(), options, progress, {});
}

TEST(BenchOnADevice, TimesLayersHeadAndModelThere) {
    BenchOptions o = quick();
    o.batches = {2, 70};
    emulated::products = emulated::dequantized = 0;
    const BenchResult r = measured(o);
    EXPECT_EQ(r.device, DeviceKind::cuda);
    EXPECT_EQ(r.deviceName, "emulated GPU");
    EXPECT_TRUE(r.recorded);
    EXPECT_GT(emulated::products, 0);
    EXPECT_GT(emulated::dequantized, 0) << "70 tokens are more than are multiplied packed";
    EXPECT_EQ(emulated::recordings, 0);
    EXPECT_EQ(r.readRate, 2 * kWorkingSet / emulated::kReplaySeconds) << "read and written";
    ASSERT_FALSE(r.layers.empty());
    for (const BenchLayer& l : r.layers) {
        // Of so many weights that they fill the working set, one after the other in each repetition.
        const int64_t half = (kWorkingSet + l.rows * l.columns * 2 - 1) / (l.rows * l.columns * 2);
        EXPECT_DOUBLE_EQ(l.halfSeconds, emulated::kReplaySeconds / double(half));
        const int64_t packed = (kWorkingSet + int64_t(l.bytes) - 1) / int64_t(l.bytes);
        EXPECT_DOUBLE_EQ(l.seconds, emulated::kReplaySeconds / double(packed));
        EXPECT_GT(l.withoutWeakSeconds, 0);
        EXPECT_GT(l.floatSeconds, l.halfSeconds) << "half as many fill the working set";
    }
    ASSERT_TRUE(r.head && r.whole);
    EXPECT_EQ(r.head->bits, 32) << "as it lies there";
    EXPECT_EQ(r.head->bytes, uint64_t(r.head->rows * r.head->columns * 4));
    EXPECT_EQ(r.whole->newTokens, 3);
    EXPECT_GT(r.whole->decodeSeconds, 0);
    const Json json = toJson(r);
    EXPECT_EQ(json["device"], "cuda");
    EXPECT_EQ(json["device_name"], "emulated GPU");
    EXPECT_EQ(json["recorded"], true);
    EXPECT_DOUBLE_EQ(json["layers"][0]["share_of_read_rate"], r.layers[0].bytesPerSecond() / r.readRate);
}

TEST(BenchOnADevice, GroupsAreMultipliedPackedToo) {
    BenchOptions o = quick();
    o.model = fs::path(OWQ_SAMPLE) / "sample-opt";
    o.modelFolder.clear();
    o.bits = {4};
    o.groupSize = 64;
    o.newTokens = 0;
    emulated::products = emulated::dequantized = 0;
    const BenchResult r = measured(o);
    EXPECT_GT(emulated::products, 0);
    EXPECT_EQ(emulated::dequantized, 0);
    for (const BenchLayer& l : r.layers) EXPECT_EQ(l.groupSize, 64);
    EXPECT_FALSE(r.whole);
}

TEST(BenchOnADevice, SaysWhereLaunchesAreInTheTimes) {
    BenchOptions o = quick();
    o.newTokens = 0;
    emulated::cannotRecord = true;
    const BenchResult r = measured(o);
    emulated::cannotRecord = false;
    EXPECT_FALSE(r.recorded);
    for (const BenchLayer& l : r.layers) EXPECT_GT(l.seconds, 0);
}

TEST(BenchOnADevice, WeightsAreManyTimesItsCacheUnlessToldOtherwise) {
    DeviceTimer timer(*emulatedDevice(), {0, 0});
    // At least 256 MiB: 128 matrices of 2 MiB
    EXPECT_DOUBLE_EQ(timer.dense(1024, 1024, 16, 1, {}).seconds, emulated::kReplaySeconds / 128);
    EXPECT_TRUE(timer.recorded());
}

TEST(BenchOnADevice, WithoutAGpuSaysWhatIsMissing) {
    if (kernels::cudaKernels().api) GTEST_SKIP() << "there is a GPU";
    Progress progress;
    try {
        bench(quick(), progress, {});
        FAIL() << "there is no GPU";
    } catch (const Error& e) {
        EXPECT_THAT(e.what(), HasSubstr("no GPU can be used"));
        EXPECT_THAT(e.remedy(), HasSubstr("--device cpu"));
    }
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(benchOn(emulatedDevice(), quick(), progress, stop.get_token()), Cancelled);
    EXPECT_EQ(emulated::recordings, 0);
}

}  // namespace
}  // namespace owq
