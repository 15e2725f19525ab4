// SPDX-License-Identifier: Apache-2.0
// Memory of a tuning against its forecast, of a model large enough to stand out. A program of its own: the peak is that of a process.
#include <gtest/gtest.h>

#include "core/base/memory.h"
#include "core/tune/tuner.h"
#include "core/tune/tuning_forecast.h"
#include "tests/core/tune/random_source.h"

namespace owq {
namespace {

TEST(TuningMemory, StaysWithinTheForecastAndItsMargin) {
    tuneAllocator();  // as the programs do
    const RandomShape shape;
    const auto source = std::make_shared<RandomSource>(shape);
    warmUpLibraries(shape);
    const uint64_t base = residentMemoryBytes();
    TunedModel model(source);
    const TuningData data = someData(3, 512, shape.vocabulary), none;
    Tuner tuner(model, data, none, {.epochs = 1, .accumulate = 1});
    const TuningForecast forecast = forecastTuning(source->info(), model.packedBytes(), model.parameters(), 1, 512, false);
    while (tuner.finished().empty()) tuner.step({});
    const uint64_t taken = peakMemoryBytes() - base;
    std::printf("forecast %.1f MiB, taken %.1f MiB\n", double(forecast.bytes()) / (1 << 20), double(taken) / (1 << 20));
    for (const TuningForecast::Part& part : forecast.parts) std::printf("  %7.1f MiB %s\n", double(part.bytes) / (1 << 20), part.name.c_str());
    ASSERT_EQ(forecast.parts.back().name, "libraries and heap");
    const uint64_t parts = forecast.bytes() - forecast.parts.back().bytes;
    EXPECT_LE(double(taken), 1.15 * double(parts)) << "what libraries hold was there before";
    EXPECT_GE(double(taken), 0.6 * double(forecast.bytes())) << "a forecast of twice the need helps nobody";
}

}  // namespace
}  // namespace owq
