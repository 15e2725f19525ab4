// SPDX-License-Identifier: Apache-2.0
// Range search against the plain loop over all candidates, and one linear's way through the column loop.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <bit>
#include <random>
#include <vector>

#include "core/quantize/quantize.h"
#include "kernels/range_search.h"
#include "kernels/thread_pool.h"
#include "tests/bench/brute_search.h"

namespace {

using namespace owq;

/// heavy: Student-t with 3 degrees of freedom, of which a row of thousands has a few large values, as rows of large models have.
/// dropped: bits of the mantissa that the stored type does not have: 13 (float16), 16 (bfloat16).
std::vector<float> makeWeights(int64_t count, bool heavy = false, int64_t dropped = 0) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0, 0.02f);
    std::student_t_distribution<float> tails(3);
    std::vector<float> w(count);
    for (float& v : w) {
        v = heavy ? 0.01f * tails(random) : normal(random);
        const uint32_t half = dropped ? 1u << (dropped - 1) : 0;
        v = std::bit_cast<float>((std::bit_cast<uint32_t>(v) + half) >> dropped << dropped);
    }
    return w;
}

void countWeights(benchmark::State& state, int64_t perIteration) {
    state.counters["ns_per_weight"] =
        benchmark::Counter(double(state.iterations() * perIteration), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

void rangeSearch(benchmark::State& state) {
    const int64_t columns = state.range(0), rows = std::max<int64_t>(1, 65536 / columns);
    const kernels::GridOptions options{.bits = int(state.range(1)), .steps = int(state.range(2))};
    const std::vector<float> w = makeWeights(rows * columns, state.range(3), state.range(4));
    std::vector<float> scale(rows), zero(rows);
    kernels::setThreads(1);
    for (auto _ : state) kernels::findGrid(w.data(), rows, columns, columns, nullptr, options, scale.data(), zero.data());
    kernels::setThreads(0);
    countWeights(state, rows * columns);
}
BENCHMARK(rangeSearch)->ArgsProduct({{256, 1024, 4096, 11008}, {3, 4}, {40, 100}, {0, 1}, {0, 13, 16}})
    ->ArgNames({"columns", "bits", "steps", "heavy", "dropped"});

/// ns_per_candidate: of one weight.
void rangeSearchBruteForce(benchmark::State& state) {
    const int64_t columns = state.range(0);
    const int bits = int(state.range(1)), steps = int(state.range(2));
    const std::vector<float> w = makeWeights(columns, state.range(3));
    const auto [low, high] = std::minmax_element(w.begin(), w.end());
    for (auto _ : state) benchmark::DoNotOptimize(bench::bruteSearch(w.data(), columns, *high - *low, bits, steps).step);
    countWeights(state, columns);
    state.counters["ns_per_candidate"] = benchmark::Counter(double(state.iterations() * columns * steps * (1 << bits)),
                                                            benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
BENCHMARK(rangeSearchBruteForce)->ArgsProduct({{4096, 11008}, {3, 4}, {100}, {0, 1}})->ArgNames({"columns", "bits", "steps", "heavy"});

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
