// SPDX-License-Identifier: Apache-2.0
// The three kernels of calibration against what LibTorch has for the same: a linear's product, the Hessian's sum, attention.
// GFLOP/s count the multiplications and additions that are needed (of a triangle: of the triangle).
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include <cmath>

#include "core/model/compute.h"
#include "kernels/attention.h"
#include "kernels/dense_matrix.h"
#include "kernels/gram_sum.h"

namespace {

using namespace owq;

void countFlops(benchmark::State& state, double each) {
    state.counters["GFLOP/s"] = benchmark::Counter(each * double(state.iterations()) / 1e9, benchmark::Counter::kIsRate);
}

/// The machine's measured peak: one large square product.
void peakProduct(benchmark::State& state) {
    const c10::InferenceMode guard;
    setComputeThreads(int(state.range(0)));
    const at::Tensor a = at::randn({2048, 2048}), b = at::randn({2048, 2048});
    at::Tensor out = at::empty({2048, 2048});
    for (auto _ : state) at::mm_out(out, a, b);
    countFlops(state, 2 * std::pow(2048., 3));
}
BENCHMARK(peakProduct)->Arg(1)->Arg(2)->ArgName("threads")->UseRealTime();

void linearProduct(benchmark::State& state) {
    const c10::InferenceMode guard;
    const int64_t tokens = 1024, rows = state.range(1), columns = state.range(2);
    setComputeThreads(int(state.range(3)));
    const at::Tensor w = at::randn({rows, columns}), x = at::randn({tokens, columns});
    at::Tensor y = at::empty({tokens, rows});
    const kernels::DenseMatrix matrix(w.const_data_ptr<float>(), rows, columns);
    for (auto _ : state) {
        if (state.range(0))
            matrix.multiply(x.const_data_ptr<float>(), tokens, nullptr, y.data_ptr<float>());
        else
            benchmark::DoNotOptimize(at::linear(x, w));
    }
    countFlops(state, 2. * double(tokens * rows * columns));
}
BENCHMARK(linearProduct)
    ->ArgsProduct({{0, 1}, {256}, {256, 704}, {1, 2}})
    ->ArgsProduct({{0, 1}, {704}, {256}, {1, 2}})
    ->ArgsProduct({{0, 1}, {4096}, {4096}, {1, 2}})
    ->ArgNames({"ours", "rows", "columns", "threads"})->UseRealTime();

void hessianSum(benchmark::State& state) {
    const c10::InferenceMode guard;
    const int64_t tokens = 4096, columns = state.range(1), strip = std::min<int64_t>(512, columns);
    setComputeThreads(int(state.range(2)));
    const at::Tensor x = at::randn({tokens, columns});
    at::Tensor h = at::zeros({columns, columns});
    kernels::GramSum sum(columns);
    for (auto _ : state) {
        if (state.range(0)) {
            sum.add(x.const_data_ptr<float>(), tokens);
            continue;
        }
        for (int64_t begin = 0; begin < columns; begin += strip) {
            const int64_t width = std::min(strip, columns - begin);
            h.narrow(0, begin, columns - begin).narrow(1, begin, width).addmm_(x.t().narrow(0, begin, columns - begin), x.narrow(1, begin, width));
        }
    }
    countFlops(state, double(tokens) * double(columns) * double(columns + 1));
}
BENCHMARK(hessianSum)->ArgsProduct({{0, 1}, {256, 1024, 4096}, {1, 2}})->ArgNames({"ours", "columns", "threads"})->UseRealTime();

/// Of inputs behind a ReLU, of which one value in `each` is not 0: each token has some columns of its own, as in trained models.
void hessianSumOfFew(benchmark::State& state) {
    const c10::InferenceMode guard;
    const int64_t tokens = 4096, columns = state.range(0), each = state.range(1);
    setComputeThreads(int(state.range(2)));
    const at::Tensor likely = at::rand({columns}).pow_(4).mul_(5. / double(each));
    const at::Tensor x = at::randn({tokens, columns}).abs_().mul_(at::rand({tokens, columns}).lt(likely));
    kernels::GramSum sum(columns);
    for (auto _ : state) sum.add(x.const_data_ptr<float>(), tokens);
    countFlops(state, double(tokens) * double(columns) * double(columns + 1));
}
BENCHMARK(hessianSumOfFew)->ArgsProduct({{1024, 4096}, {4, 20, 40}, {1, 2}})->ArgNames({"columns", "each", "threads"})->UseRealTime();

void windowAttention(benchmark::State& state) {
    const c10::InferenceMode guard;
    const int64_t tokens = state.range(1), size = state.range(2), heads = 4, windows = 2;
    setComputeThreads(int(state.range(3)));
    const at::Tensor q = at::randn({windows, tokens, heads, size}), k = at::randn({windows, tokens, heads, size}),
                     v = at::randn({windows, tokens, heads, size});
    at::Tensor out = at::empty({windows, tokens, heads, size});
    for (auto _ : state) {
        if (state.range(0))
            kernels::causalAttention({q.const_data_ptr<float>(), k.const_data_ptr<float>(), v.const_data_ptr<float>(), windows, tokens, heads,
                                      heads, size, 1 / std::sqrt(float(size)), out.data_ptr<float>()});
        else
            benchmark::DoNotOptimize(at::scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), {}, 0., true));
    }
    countFlops(state, 2. * double(windows * heads * tokens * (tokens + 1) * size));
}
BENCHMARK(windowAttention)->ArgsProduct({{0, 1}, {512}, {64}, {1, 2}})->ArgsProduct({{0, 1}, {2048}, {128}, {1, 2}})
    ->ArgNames({"ours", "tokens", "headSize", "threads"})->UseRealTime();

}  // namespace
