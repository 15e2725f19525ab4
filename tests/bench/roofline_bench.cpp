// SPDX-License-Identifier: Apache-2.0
// Each stage of quantization on the widths of large models' linears, with heavy-tailed weights and outlying inputs: its rate, and
// which share that is of what the machine was just seen to reach. `bench_roofline [threads] [rows] [columns...]`
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "core/model/compute.h"
#include "core/quantize/column_loop.h"
#include "core/quantize/factor.h"
#include "core/quantize/refine.h"
#include "kernels/dense_matrix.h"
#include "kernels/gram_sum.h"
#include "kernels/packing.h"
#include "kernels/thread_pool.h"

namespace {

using namespace owq;

constexpr int64_t kTokens = 2048;
constexpr int64_t kRefined = 16384;  ///< columns; a pass over wider ones takes minutes

/// Seconds of one call: the best of several, or of one where it takes long.
template <class Work>
double secondsOf(const Work& work) {
    double best = INFINITY, total = 0;
    for (int i = 0; i < 5 && (i == 0 || total < 3); i++) {
        const auto start = std::chrono::steady_clock::now();
        work();
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        best = std::min(best, seconds);
        total += seconds;
    }
    return best;
}

/// Student-t with 3 degrees of freedom.
at::Tensor heavyWeights(int64_t rows, int64_t columns) {
    at::Tensor squares = at::randn({rows, columns}).square_();
    for (int i = 0; i < 2; i++) squares.add_(at::randn({rows, columns}).square_());
    return at::randn({rows, columns}).div_(squares.div_(3).sqrt_()).mul_(0.01);
}

at::Tensor inputs(int64_t columns) {
    at::Tensor x = at::randn({kTokens, columns});
    for (int64_t c = 0; c < columns; c += 97) x.select(1, c).mul_(20);
    return x;
}

struct Peaks {
    double single, twice, read;  ///< GFLOP/s in float32 and float64, GB/s
};

/// Of LibTorch's product, or of ours where that is faster: on some processors LibTorch's is far from what they can do. float64 has half as
/// many numbers in a register, so at least half of float32's rate can be reached.
void measureProducts(Peaks& peaks) {
    constexpr int64_t n = 4096;
    const double work = 2e-9 * std::pow(double(n), 3);
    const at::Tensor a = at::randn({n, n}), b = at::randn({n, n});
    at::Tensor out = at::empty({n, n});
    const double theirs = work / secondsOf([&] { at::mm_out(out, a, b); });
    const kernels::DenseMatrix matrix(b.const_data_ptr<float>(), n, n);
    const double ours = work / secondsOf([&] { matrix.multiply(a.const_data_ptr<float>(), n, nullptr, out.data_ptr<float>()); });
    const at::Tensor wide = a.to(at::kDouble), other = b.to(at::kDouble);
    at::Tensor wideOut = at::empty({n, n}, at::kDouble);
    const double twice = work / secondsOf([&] { at::mm_out(wideOut, wide, other); });
    std::printf("products of 4096 x 4096: LibTorch %.0f GFLOP/s in float32, %.0f in float64; ours %.0f in float32\n", theirs, twice, ours);
    peaks.single = std::max(theirs, ours);
    peaks.twice = std::max(twice, peaks.single / 2);
}

Peaks measurePeaks() {
    const at::Tensor much = at::full({1 << 28}, 1.f);
    const double seconds = secondsOf([&] {
        const float* const x = much.const_data_ptr<float>();
        kernels::parallelFor(much.numel(), 1 << 20, [&](int64_t begin, int64_t end) {
            float sums[32] = {};
            for (int64_t i = begin; i < end; i += 32)
                for (int k = 0; k < 32; k++) sums[k] += x[i + k];
            volatile float kept = sums[0] + sums[31];
            (void)kept;
        });
    });
    Peaks peaks{0, 0, 4e-9 * double(much.numel()) / seconds};
    measureProducts(peaks);
    return peaks;
}

void printLine(const char* stage, double seconds, double amount, const char* unit, double peak) {
    std::printf("  %-34s %10.1f ms %9.1f %s", stage, 1e3 * seconds, amount / seconds / 1e9, unit);
    if (peak > 0) std::printf("  %3.0f %% of the peak", amount / seconds / 1e7 / peak);
    std::printf("\n");
    std::fflush(stdout);
}

void measureWidth(int64_t n, int64_t rows, const Peaks& peaks) {
    std::printf("%lld columns, %lld rows\n", static_cast<long long>(n), static_cast<long long>(rows));
    const double width = double(n), weights = width * double(rows);
    const at::Tensor weight = heavyWeights(rows, n);
    at::Tensor h = at::empty({n, n});
    {
        const at::Tensor x = inputs(n);
        kernels::GramSum sum(n);
        printLine("Hessian, 2048 tokens (triangle)", secondsOf([&] { sum.add(x.const_data_ptr<float>(), kTokens); }),
                  width * (width + 1) * kTokens, "GFLOP/s", peaks.single);
        sum.copyTo(1.f / kTokens, h.data_ptr<float>());
        const kernels::DenseMatrix matrix(weight.const_data_ptr<float>(), rows, n);
        at::Tensor y = at::empty({kTokens, rows});
        printLine("forward product, 2048 tokens",
                  secondsOf([&] { matrix.multiply(x.const_data_ptr<float>(), kTokens, nullptr, y.data_ptr<float>()); }),
                  2 * weights * kTokens, "GFLOP/s", peaks.single);
    }
    h.diagonal().add_(h.diagonal().mean().mul(0.01));

    ColumnLoop start;
    start.kept = n;
    start.scale = at::empty({rows, 1});
    start.zero = at::empty({rows, 1});
    const Device& device = hostDevice();
    for (const int bits : {3, 4}) {
        const double seconds = secondsOf([&] { device.findGrid(weight, {}, {bits, 100}, start.scale, start.zero, {}); });
        std::printf("  range search, %d bits, 100 sizes     %10.1f ms %9.2f ns a weight\n", bits, 1e3 * seconds, 1e9 * seconds / weights), std::fflush(stdout);
    }
    LinearRecipe recipe;
    device.findGrid(weight, {}, {recipe.bits, 100}, start.scale, start.zero, {});

    // Once: it works in place, and its copy would be the largest matrix of all.
    at::Tensor reversed = at::empty({n, n}, at::kDouble);
    for (int64_t i = 0; i < n; i++) reversed.select(0, n - 1 - i).copy_(h.select(0, i).flip(0));
    const auto before = std::chrono::steady_clock::now();
    start.factor = *factorize(device, std::move(reversed), false, {});
    printLine("factorization, float64", std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count(),
              width * width * width / 3, "GFLOP/s", peaks.twice);

    ColumnLoop loop;
    const double copying = secondsOf([&] { loop = start, loop.weight = weight.clone(); });
    printLine("column loop", secondsOf([&] {
                  loop = start;
                  loop.weight = weight.clone();
                  runColumnLoop(device, loop, recipe, {});
              }) - copying,
              weights * width, "GFLOP/s", peaks.single);
    if (n <= kRefined) {
        recipe.refinePasses = 1;
        printLine("refinement, each pass", secondsOf([&] { refine(device, loop, weight, h, recipe, {}); }), 0, "       ", 0);
    }

    const at::Tensor words = at::empty({(n * recipe.bits + 31) / 32, rows}, at::kInt);
    printLine("packing, 3 bits", secondsOf([&] {
                  kernels::packCodes(loop.codes.const_data_ptr<uint8_t>(), rows, n, recipe.bits, words.data_ptr<int32_t>());
              }),
              weights * (1 + recipe.bits / 8.), "GB/s   ", peaks.read);
}

}  // namespace

int main(int count, char** values) {
    const c10::InferenceMode guard;
    setComputeThreads(count > 1 ? std::atoi(values[1]) : 0);
    const int64_t rows = count > 2 ? std::atoll(values[2]) : 1024;
    std::vector<int64_t> widths;
    for (int i = 3; i < count; i++) widths.push_back(std::atoll(values[i]));
    if (widths.empty()) widths = {4096, 11008, 8192, 28672, 9216, 36864};  // LLaMA-7B, LLaMA-70B, OPT-66B
    const Peaks peaks = measurePeaks();
    std::printf("%d threads; peaks: %.0f GFLOP/s (float32), %.0f (float64), reads at %.1f GB/s\n", kernels::threads(), peaks.single,
                peaks.twice, peaks.read);
    for (const int64_t n : widths) measureWidth(n, rows, peaks);
}
