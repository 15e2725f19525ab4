// SPDX-License-Identifier: Apache-2.0
// Range search against the plain loop over all candidates, and one linear's way through the column loop.
#include <benchmark/benchmark.h>

#include <cfloat>
#include <cmath>
#include <random>
#include <vector>

#include "core/quantize/quantize.h"
#include "kernels/range_search.h"
#include "kernels/thread_pool.h"

namespace {

using namespace owq;

std::vector<float> makeWeights(int64_t count) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0, 0.02f);
    std::vector<float> w(count);
    for (float& v : w) v = normal(random);
    return w;
}

/// All steps and zero points, fused: one pass over the row for each candidate, nothing written.
void fusedBruteForce(const float* x, int64_t columns, int bits, int steps, float& scale, float& zero) {
    float low = 0, high = 0;
    for (int64_t c = 0; c < columns; c++) low = std::min(low, x[c]), high = std::max(high, x[c]);
    const float levels = float((1 << bits) - 1), range = high - low;
    float best = FLT_MAX;
    for (int i = 1; i <= steps; i++) {
        const float s = std::max(range / float(steps) * float(i) / levels, 1e-8f);
        for (float z = 0; z <= levels; z++) {
            float sum = 0;
            for (int64_t c = 0; c < columns; c++) {
                const float q = std::min(std::max(std::nearbyint(x[c] / s) + z, 0.f), levels) - z;
                sum += std::pow(std::abs(s * q - x[c]), 2.4f);
            }
            if (sum < best) best = sum, scale = s, zero = z;
        }
    }
}

void rangeSearch(benchmark::State& state) {
    const int64_t columns = state.range(0), rows = std::max<int64_t>(1, 65536 / columns);
    const kernels::GridOptions options{.bits = int(state.range(1)), .steps = int(state.range(2))};
    const std::vector<float> w = makeWeights(rows * columns);
    std::vector<float> scale(rows), zero(rows);
    kernels::setThreads(1);
    for (auto _ : state) kernels::findGrid(w.data(), rows, columns, columns, nullptr, options, scale.data(), zero.data());
    kernels::setThreads(0);
    state.counters["ns_per_weight"] = benchmark::Counter(double(state.iterations() * rows * columns),
                                                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(rangeSearch)->ArgsProduct({{256, 1024, 4096}, {3, 4}, {40, 100}})->ArgNames({"columns", "bits", "steps"});

void rangeSearchBruteForce(benchmark::State& state) {
    const int64_t columns = state.range(0);
    const std::vector<float> w = makeWeights(columns);
    float scale = 0, zero = 0;
    for (auto _ : state) {
        fusedBruteForce(w.data(), columns, int(state.range(1)), int(state.range(2)), scale, zero);
        benchmark::DoNotOptimize(scale);
    }
    state.counters["ns_per_weight"] =
        benchmark::Counter(double(state.iterations() * columns), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(rangeSearchBruteForce)->Args({1024, 3, 100})->Args({1024, 4, 100})->ArgNames({"columns", "bits", "steps"});

void quantizeOneLinear(benchmark::State& state) {
    const int64_t rows = state.range(0), columns = state.range(1);
    const std::vector<float> w = makeWeights(rows * columns);
    std::vector<float> h(columns * columns, 0.1f);
    for (int64_t i = 0; i < columns; i++) h[i * columns + i] = 1 + float(i % 7);
    const LinearRecipe recipe{.weakColumns = state.range(2)};
    StageSeconds seconds;
    for (auto _ : state) {
        const LinearOutcome outcome = quantizeLinear(w.data(), rows, columns, h.data(), recipe);
        seconds.rangeSearch += outcome.seconds.rangeSearch;
        seconds.columnLoop += outcome.seconds.columnLoop;
    }
    state.counters["search_ms"] = 1e3 * seconds.rangeSearch / double(state.iterations());
    state.counters["loop_ms"] = 1e3 * seconds.columnLoop / double(state.iterations());
}
BENCHMARK(quantizeOneLinear)->Args({256, 256, 2})->Args({1024, 256, 0})->Args({256, 1024, 2})->Args({2048, 2048, 4})
    ->ArgNames({"rows", "columns", "weak"})->Unit(benchmark::kMillisecond);

}  // namespace
