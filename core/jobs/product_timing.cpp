// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/product_timing.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <random>
#include <vector>

#include "core/base/progress.h"
#include "kernels/dense_matrix.h"
#include "kernels/matvec.h"
#include "kernels/stored_matrix.h"
#include "kernels/thread_pool.h"

namespace owq {
namespace {

constexpr size_t kCalls = 5;  ///< of one measurement, at least

int64_t workingSet(const Timing& timing) {
    if (timing.bytes) return timing.bytes;
    const long cache = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
    return std::max<int64_t>(int64_t(1) << 29, 2 * int64_t(std::max(0L, cache)));
}

using Call = std::function<void(size_t)>;

/// Calls each in turn with i = 0, 1, … after one round of `count` to warm up; the median of each: what disturbs the machine for a while
/// disturbs all of them alike.
std::vector<double> medianSeconds(size_t count, const Timing& timing, const std::stop_token& stop, const std::vector<Call>& calls) {
    using Clock = std::chrono::steady_clock;
    for (const Call& call : calls)
        for (size_t i = 0; i < count; i++) call(i);
    std::vector<std::vector<double>> seconds(calls.size());
    double all = 0;
    for (size_t i = 0; all < timing.seconds * double(calls.size()) || i < std::max(kCalls, count); i++) {
        checkStop(stop);
        for (size_t c = 0; c < calls.size(); c++) {
            const auto start = Clock::now();
            calls[c](i % count);
            all += seconds[c].emplace_back(std::chrono::duration<double>(Clock::now() - start).count());
        }
    }
    std::vector<double> medians;
    for (std::vector<double>& s : seconds) {
        std::nth_element(s.begin(), s.begin() + long(s.size() / 2), s.end());
        medians.push_back(s[s.size() / 2]);
    }
    return medians;
}

double medianSeconds(size_t count, const Timing& timing, const std::stop_token& stop, const Call& call) {
    return medianSeconds(count, timing, stop, std::vector{call}).front();
}

std::vector<float> inputs(int64_t count) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> x(static_cast<size_t>(count));
    for (float& v : x) v = normal(random);
    return x;
}

constexpr int64_t kLargeBatch = 16;  // tokens beyond which the model widens 16-bit weights

typedef uint64_t Sixteen __attribute__((vector_size(16), may_alias));  // bytes, as every processor here loads at once
constexpr int64_t kLine = 4;                                          // of them

template <int kStreams>
uint64_t readStreams(const Sixteen* values, int64_t begin, int64_t end, int64_t apart, int64_t ahead) {
    Sixteen sums[kStreams] = {};
    for (int64_t line = begin * kLine; line < end * kLine; line += kLine)
#pragma GCC unroll 4
        for (int s = 0; s < kStreams; s++) {
            const Sixteen* const at = values + s * apart * kLine + line;
            if (ahead) __builtin_prefetch(at + ahead * kLine);
            sums[s] += (at[0] + at[1]) + (at[2] + at[3]);
        }
    Sixteen total = sums[0];
    for (int s = 1; s < kStreams; s++) total += sums[s];
    return total[0] + total[1];
}

std::vector<kernels::PackedMatrix> packedMatrices(const ProductShape& shape, const Timing& timing, const std::stop_token& stop) {
    const MadeUpWeight weight(shape);
    return manyOf<kernels::PackedMatrix>(workingSet(timing), stop, [&] { return kernels::PackedMatrix(weight.view()); }, [](const auto& m) { return m.bytes(); });
}

}  // namespace

MadeUpWeight::MadeUpWeight(const ProductShape& s) : shape(s), codes(size_t(s.rows * s.columns)) {
    std::mt19937 random(1);
    // A MiB, again and again: the largest would take seconds to draw, and no time depends on codes.
    const size_t drawn = std::min(codes.size(), size_t(1) << 20);
    for (size_t i = 0; i < drawn; i++) codes[i] = uint8_t(random() >> 8) & uint8_t((1 << s.bits) - 1);
    for (size_t i = drawn; i < codes.size(); i += drawn) std::copy_n(codes.begin(), std::min(drawn, codes.size() - i), codes.begin() + long(i));
    const int64_t groups = s.groupSize ? (s.columns + s.groupSize - 1) / s.groupSize : 1;
    scale.assign(size_t(s.rows * groups), 0x1p-7f);  // a half, as those of packed files
    zero.assign(scale.size(), float(1 << s.bits) / 2);
    weakWeight.assign(size_t(s.rows * s.weakColumns), 0.125f);  // as all weak weights of a file: a number of 16 bits
    for (int64_t j = 0; j < s.weakColumns; j++) weakColumns.push_back(int32_t(j * s.columns / s.weakColumns));
}

kernels::PackedWeight MadeUpWeight::view() const {
    return {.codes = codes.data(), .rows = shape.rows, .columns = shape.columns, .bits = shape.bits, .groupSize = shape.groupSize,
            .scale = scale.data(), .zero = zero.data(), .weakColumns = weakColumns.data(), .weakWeight = weakWeight.data(),
            .weakCount = shape.weakColumns};
}

kernels::Activations activationsOf(Arithmetic arithmetic) {
    return arithmetic == Arithmetic::exact  ? kernels::Activations::exact
           : arithmetic == Arithmetic::int8 ? kernels::Activations::int8
                                            : kernels::Activations::doubleInt8;
}

double readRate(const Timing& timing, const std::stop_token& stop) {
    const int64_t bytes = workingSet(timing), lines = bytes / 64;
    kernels::FloatBuffer memory = kernels::FloatBuffer::lasting(bytes / int64_t(sizeof(float)));  // the kind in which weights lie
    kernels::parallelFor(memory.size(), 1 << 18, [&](int64_t begin, int64_t end) { std::fill(memory.data() + begin, memory.data() + end, 1.f); });
    const auto* const values = reinterpret_cast<const Sixteen*>(memory.data());
    double best = 0;
    for (const int streams : {1, 2, 4})
        for (const int64_t ahead : {0, 16, 64}) {  // lines
            const int64_t apart = lines / streams;
            const double seconds = medianSeconds(1, timing, stop, [&](size_t) {
                kernels::parallelFor(apart, 1 << 12, [&](int64_t begin, int64_t end) {
                    const auto read = streams == 1 ? readStreams<1> : streams == 2 ? readStreams<2> : readStreams<4>;
                    volatile uint64_t sum = read(values, begin, end, apart, ahead);
                    (void)sum;
                });
            });
            best = std::max(best, double(bytes) / seconds);
        }
    return best;
}

ProductTime packedProductTime(const ProductShape& shape, int64_t batch, Arithmetic arithmetic, const Timing& timing, const std::stop_token& stop) {
    return packedProductTimes({shape}, batch, arithmetic, timing, stop).front();
}

std::vector<ProductTime> packedProductTimes(const std::vector<ProductShape>& shapes, int64_t batch, Arithmetic arithmetic, const Timing& timing,
                                            const std::stop_token& stop) {
    std::vector<std::vector<kernels::PackedMatrix>> matrices;
    std::vector<Call> calls;
    std::vector<std::vector<float>> x, y;
    size_t count = SIZE_MAX;
    for (const ProductShape& shape : shapes) {
        matrices.push_back(packedMatrices(shape, timing, stop));
        count = std::min(count, matrices.back().size());
        x.push_back(inputs(batch * shape.columns));
        y.emplace_back(size_t(batch * shape.rows));
    }
    for (size_t s = 0; s < shapes.size(); s++)
        calls.push_back([&, s](size_t i) { matrices[s][i].multiply(x[s].data(), batch, y[s].data(), activationsOf(arithmetic)); });
    const std::vector<double> seconds = medianSeconds(count, timing, stop, calls);
    std::vector<ProductTime> times;
    for (size_t s = 0; s < shapes.size(); s++) times.push_back({seconds[s], matrices[s][0].bytes()});
    return times;
}

ProductTime denseProductTime(int64_t rows, int64_t columns, int bits, int64_t batch, const Timing& timing, const std::stop_token& stop) {
    const auto type = bits == 16 ? kernels::StoredType::f16 : kernels::StoredType::f32;
    const std::vector<float> x = inputs(batch * columns), zeros(size_t(rows * columns));
    std::vector<float> y(size_t(batch * rows));
    ProductTime time;
    size_t count = 0;
    {
        const auto stored = manyOf<kernels::StoredMatrix>(workingSet(timing), stop, [&] { return kernels::StoredMatrix(zeros.data(), type, rows, columns); },
                                                           [](const auto& m) { return m.bytes(); });
        count = stored.size();
        time = {medianSeconds(count, timing, stop, [&](size_t i) { stored[i].multiply(x.data(), batch, y.data()); }), stored[0].bytes()};
    }
    if (bits == 32 || batch > kLargeBatch) {
        std::vector<kernels::DenseMatrix> panels;
        while (panels.size() < count) {
            checkStop(stop);
            panels.emplace_back(zeros.data(), rows, columns);
        }
        time.seconds = std::min(time.seconds, medianSeconds(count, timing, stop, [&](size_t i) { panels[i].multiply(x.data(), batch, nullptr, y.data()); }));
    }
    return time;
}

}  // namespace owq
