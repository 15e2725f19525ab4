// SPDX-License-Identifier: Apache-2.0
// Packed matrix times few vectors on LLaMA-7B's shapes, weights far larger than the caches. `owq bench` tells the
// rate at which the machine reads.
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include <random>
#include <vector>

#include "core/model/compute.h"
#include "kernels/matvec.h"
#include "kernels/thread_pool.h"

namespace {

using namespace owq;

constexpr int64_t kBytes = int64_t(1) << 29;  ///< read in turn by each benchmark

void countBytes(benchmark::State& state, double perIteration) {
    state.counters["GB/s"] = benchmark::Counter(1e-9 * double(state.iterations()) * perIteration, benchmark::Counter::kIsRate);
}

/// activations: 0 exact, 1 two int8, 2 one int8.
void packedProduct(benchmark::State& state) {
    const int64_t rows = state.range(0), columns = state.range(1), weak = state.range(3), batch = state.range(4);
    setComputeThreads(int(state.range(6)));
    std::mt19937 random(1);
    std::vector<uint8_t> codes(size_t(rows * columns));
    for (uint8_t& code : codes) code = uint8_t(random() >> 8) & uint8_t((1 << state.range(2)) - 1);
    const std::vector<float> scale(size_t(rows), 0.01f), zero(size_t(rows), 3), weakWeight(size_t(rows * weak), 0.125f);
    std::vector<int32_t> weakColumns;
    for (int64_t j = 0; j < weak; j++) weakColumns.push_back(int32_t(j * (columns / weak)));
    std::vector<kernels::PackedMatrix> matrices;
    int64_t held = 0;
    while (held < kBytes || matrices.empty()) {
        matrices.emplace_back(kernels::PackedWeight{.codes = codes.data(), .rows = rows, .columns = columns, .bits = int(state.range(2)),
                                                    .scale = scale.data(), .zero = zero.data(), .weakColumns = weakColumns.data(),
                                                    .weakWeight = weakWeight.data(), .weakCount = weak});
        held += int64_t(matrices.back().bytes());
    }
    std::normal_distribution<float> normal;
    std::vector<float> x(size_t(batch * columns)), y(size_t(batch * rows));
    for (float& v : x) v = normal(random);
    size_t next = 0;
    for (auto _ : state) {
        matrices[next].multiply(x.data(), batch, y.data(), kernels::Activations(state.range(5)));
        next = (next + 1) % matrices.size();
    }
    countBytes(state, double(matrices[0].bytes()));
    state.counters["GFLOP/s"] =
        benchmark::Counter(2e-9 * double(state.iterations() * batch * rows) * double(columns), benchmark::Counter::kIsRate);
}
BENCHMARK(packedProduct)->ArgsProduct({{4096}, {4096}, {3, 4}, {0, 6}, {1}, {0, 1, 2}, {1, 2}})
    ->ArgsProduct({{22016}, {4096}, {2, 3, 4, 8}, {6}, {1}, {1}, {1, 2}})->ArgsProduct({{4096}, {11008}, {3, 4}, {6}, {1}, {1}, {1, 2}})
    ->ArgsProduct({{4096}, {4096}, {3, 4}, {6}, {8, 16, 512}, {0, 1, 2}, {1}})
    ->ArgNames({"rows", "columns", "bits", "weak", "batch", "activations", "threads"})->UseRealTime()->Unit(benchmark::kMillisecond);

/// The same in fp32 or fp16 through LibTorch.
void denseProduct(benchmark::State& state) {
    const c10::InferenceMode guard;
    const int64_t rows = state.range(0), columns = state.range(1);
    const auto type = state.range(2) == 16 ? at::kHalf : at::kFloat;
    setComputeThreads(int(state.range(4)));
    std::vector<at::Tensor> weights;
    for (int64_t held = 0; held < kBytes; held += rows * columns * state.range(2) / 8) weights.push_back(at::randn({rows, columns}).to(type));
    const at::Tensor x = at::randn({state.range(3), columns}).to(type);
    size_t next = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(at::linear(x, weights[next]));
        next = (next + 1) % weights.size();
    }
    countBytes(state, double(rows * columns * state.range(2)) / 8);
}
BENCHMARK(denseProduct)->ArgsProduct({{4096}, {4096}, {16, 32}, {1, 512}, {1, 2}})->ArgNames({"rows", "columns", "bits", "batch", "threads"})
    ->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
