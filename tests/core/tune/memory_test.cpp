// SPDX-License-Identifier: Apache-2.0
// Memory of a tuning against its forecast, of a model large enough to stand out. A program of its own: the peak is that of a process.
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "core/base/memory.h"
#include "core/model/gradient.h"
#include "core/tune/tuner.h"
#include "core/tune/tuning_forecast.h"
#include "tests/core/tune/random_source.h"

namespace owq {
namespace {

TEST(TuningMemory, StaysWithinTheForecastAndItsMargin) {
    tuneAllocator();  // as the programs do
    const RandomShape shape;
    const auto source = std::make_shared<RandomSource>(shape);
    {  // what the libraries take when they first compute
        const at::Tensor a = at::randn({64, 64}, at::kFloat).requires_grad_(true);
        gradients(a.mm(a), {a}, at::randn({64, 64}, at::kFloat));
        at::randn({512, shape.hidden}, at::kFloat).mm(at::randn({shape.hidden, shape.inner}, at::kFloat));
    }
    const uint64_t base = residentMemoryBytes();
    TunedModel model(source);
    TuningData data, none;
    for (int i = 0; i < 3; ++i) {
        data.examples.push_back({{}, 1});
        for (int t = 0; t < 512; ++t) data.examples.back().ids.push_back((i * 7919 + t * 31) % int(shape.vocabulary));
    }
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
