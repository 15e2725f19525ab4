// SPDX-License-Identifier: Apache-2.0
// Factorization and column loop at the sizes of large models, one thread and all, beside the machine's own product rate.
#include <ATen/ops/cholesky_inverse.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_cholesky.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include <cmath>

#include "core/model/compute.h"
#include "core/quantize/column_loop.h"
#include "core/quantize/factor.h"

namespace {

using namespace owq;

/// A damped Hessian of inputs of which some columns are much larger than the rest.
at::Tensor hessianOf(int64_t columns) {
    at::Tensor x = at::randn({columns / 2 + 64, columns});
    for (int64_t c = 0; c < columns; c += 97) x.select(1, c).mul_(20);
    at::Tensor h = x.t().matmul(x);
    h.diagonal().add_(h.diagonal().mean().mul(0.01));
    return h;
}

void factorization(benchmark::State& state) {
    const c10::InferenceMode guard;
    const int64_t n = state.range(1);
    setComputeThreads(int(state.range(2)));
    const at::Tensor h = hessianOf(n);
    for (auto _ : state) {
        if (state.range(0))
            benchmark::DoNotOptimize(factorize(hostDevice(), h.to(at::kDouble), state.range(0) == 2, {})->pivot.const_data_ptr<float>());
        else
            benchmark::DoNotOptimize(at::linalg_cholesky(at::cholesky_inverse(at::linalg_cholesky(h)), true));
    }
}
BENCHMARK(factorization)->ArgsProduct({{0, 1, 2}, {1024, 4096}, {1, 2}})->ArgNames({"ours", "columns", "threads"})->UseRealTime()  // 2: the inverse, too, for group-wise grids
    ->Unit(benchmark::kMillisecond);

void columnLoop(benchmark::State& state) {
    const c10::InferenceMode guard;
    const int64_t rows = state.range(0), columns = state.range(1);
    setComputeThreads(int(state.range(2)));
    const at::Tensor weight = at::randn({rows, columns}).mul(0.02).contiguous();
    ColumnLoop start;
    start.kept = columns;
    start.factor = *factorize(hostDevice(), hessianOf(columns).to(at::kDouble), false, {});
    start.scale = at::empty({rows, 1});
    start.zero = at::empty({rows, 1});
    const LinearRecipe recipe;
    hostDevice().findGrid(weight, {}, {recipe.bits, 1}, start.scale, start.zero, {});
    for (auto _ : state) {
        state.PauseTiming();
        ColumnLoop loop = start;
        loop.weight = weight.clone();
        state.ResumeTiming();
        runColumnLoop(hostDevice(), loop, recipe, {});
        benchmark::DoNotOptimize(loop.loss.const_data_ptr<double>());
    }
    state.counters["GFLOP/s"] =
        benchmark::Counter(double(state.iterations() * rows * columns) * double(columns) / 1e9, benchmark::Counter::kIsRate);
}
BENCHMARK(columnLoop)->ArgsProduct({{1024}, {1024}, {1, 2}})->ArgsProduct({{4096}, {4096}, {1, 2}})
    ->ArgNames({"rows", "columns", "threads"})->UseRealTime()->Unit(benchmark::kMillisecond);

void product(benchmark::State& state) {
    const c10::InferenceMode guard;
    const int64_t n = state.range(0);
    setComputeThreads(int(state.range(1)));
    const at::Tensor a = at::randn({n, n}), b = at::randn({n, n});
    at::Tensor out = at::empty({n, n});
    for (auto _ : state) at::mm_out(out, a, b);
    state.counters["GFLOP/s"] = benchmark::Counter(2e-9 * double(state.iterations()) * std::pow(double(n), 3), benchmark::Counter::kIsRate);
}
BENCHMARK(product)->ArgsProduct({{1024, 4096}, {1, 2}})->ArgNames({"size", "threads"})->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
