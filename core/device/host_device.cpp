// SPDX-License-Identifier: Apache-2.0
#include <ATen/ops/empty.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "core/base/progress.h"
#include "core/device/device.h"
#include "kernels/column_loop.h"
#include "kernels/descent.h"
#include "kernels/gram_sum.h"
#include "kernels/thread_pool.h"

namespace owq {
namespace {

constexpr int64_t kWorkAtOnce = 3'000'000'000;  ///< multiplications between two looks at the stop token
constexpr int64_t kColumnsAtOnce = 64;

class HostGramSum : public GramSum {
public:
    explicit HostGramSum(int64_t columns) : sum_(columns) {}
    void add(const at::Tensor& x) override { sum_.add(x.const_data_ptr<float>(), x.size(0)); }
    at::Tensor finish(float factor) override {
        at::Tensor h = at::empty({sum_.columns(), sum_.columns()}, at::kFloat);
        sum_.copyTo(factor, h.data_ptr<float>());
        return h;
    }

private:
    kernels::GramSum sum_;
};

constexpr int64_t kFewTokens = 16;  // up to here a product of packed weights is faster than widening these

class HostPackedProduct : public PackedProduct {
public:
    explicit HostPackedProduct(const kernels::PackedWeight& weight) : matrix_(weight) {}
    uint64_t bytes() const override { return matrix_.bytes(); }
    bool takes(int64_t tokens, kernels::Activations activations) const override {
        return tokens <= kFewTokens || activations != kernels::Activations::exact;
    }
    void multiply(const at::Tensor& x, kernels::Activations activations, at::Tensor out) const override {
        matrix_.multiply(x.const_data_ptr<float>(), x.size(0), out.data_ptr<float>(), activations);
    }
    void dequantizeRows(int64_t begin, at::Tensor out) const override {
        matrix_.dequantizeRows(begin, begin + out.size(0), out.data_ptr<float>());
    }
    std::unique_ptr<PackedProduct> withWeakWeight(const float* weight) const override {
        auto changed = std::make_unique<HostPackedProduct>(*this);
        changed->matrix_.setWeakWeight(weight);
        return changed;
    }

private:
    kernels::PackedMatrix matrix_;
};

class HostDevice : public Device {
public:
    at::Device place() const override { return at::kCPU; }
    bool isHost() const override { return true; }
    std::string name() const override { return "CPU"; }
    int64_t tokensPerPass() const override { return kHostTokens; }
    uint64_t freeMemoryBytes() const override { return 0; }
    uint64_t cacheBytes() const override { return uint64_t(std::max(0L, ::sysconf(_SC_LEVEL3_CACHE_SIZE))); }
    void synchronize() const override {}
    DeviceTime timeOf(const std::function<void()>& work, double atLeast, const std::stop_token& stop) const override {
        using Clock = std::chrono::steady_clock;
        work();
        const auto once = [&] {
            const auto start = Clock::now();
            work();
            return std::chrono::duration<double>(Clock::now() - start).count();
        };
        return {medianOf(once, atLeast, stop), false};
    }
    void runAside(const std::function<void()>& work) const override { work(); }

    std::unique_ptr<GramSum> gramSum(int64_t columns) const override { return std::make_unique<HostGramSum>(columns); }

    void findGrid(const at::Tensor& w, const at::Tensor& excluded, const kernels::GridOptions& options, at::Tensor scale,
                  at::Tensor zero, const std::stop_token& stop) const override {
        kernels::findGrid(w.const_data_ptr<float>(), w.size(0), w.size(1), w.stride(0),
                          excluded.defined() ? excluded.const_data_ptr<uint8_t>() : nullptr, options, scale.data_ptr<float>(),
                          zero.data_ptr<float>(), stop);
        checkStop(stop);
    }

    void roundToGrid(const at::Tensor& w, const at::Tensor& scale, const at::Tensor& zero, int bits, at::Tensor codes,
                     at::Tensor values) const override {
        kernels::roundToGrid(w.const_data_ptr<float>(), w.size(0), w.size(1), w.stride(0), scale.const_data_ptr<float>(),
                             zero.const_data_ptr<float>(), bits, codes.data_ptr<uint8_t>(), values.data_ptr<float>());
    }

    void addSquaredDifferences(const at::Tensor& a, const at::Tensor& b, at::Tensor total) const override {
        const float *left = a.const_data_ptr<float>(), *right = b.const_data_ptr<float>();
        double* const sum = total.data_ptr<double>();
        kernels::parallelFor(a.size(1), kColumnsAtOnce, [&](int64_t begin, int64_t end) {
            for (int64_t r = 0; r < a.size(0); r++) {
                for (int64_t c = begin; c < end; c++) {
                    const float d = left[r * a.stride(0) + c] - right[r * b.stride(0) + c];
                    sum[c] += double(d) * d;
                }
            }
        });
    }

    void quantizeBlock(const BlockOfColumns& b) const override {
        const int64_t rows = b.w.size(0), columns = b.w.size(1);
        const bool inPlace = b.codes.is_contiguous();
        at::Tensor codes = inPlace ? b.codes : at::empty({rows, columns}, at::kByte);
        kernels::quantizeBlock({.rows = rows,
                                .columns = columns,
                                .w = b.w.data_ptr<float>(),
                                .wStride = b.w.stride(0),
                                .original = b.original.defined() ? b.original.const_data_ptr<float>() : nullptr,
                                .originalStride = b.original.defined() ? b.original.stride(0) : 0,
                                .factor = b.factor.const_data_ptr<float>(),
                                .factorStride = b.factor.stride(0),
                                .pivot = b.pivot.const_data_ptr<float>(),
                                .scale = b.scale.const_data_ptr<float>(),
                                .zero = b.zero.const_data_ptr<float>(),
                                .gridStride = b.scale.stride(0),
                                .grid = b.grid.const_data_ptr<int32_t>(),
                                .bits = b.bits,
                                .error = b.error.data_ptr<float>(),
                                .errorStride = b.error.stride(0),
                                .codes = codes.data_ptr<uint8_t>(),
                                .loss = b.loss.data_ptr<double>()});
        if (!inPlace) b.codes.copy_(codes);
    }

    void descendBlock(const BlockToDescend& b) const override {
        kernels::descendBlock({.rows = b.pull.size(0),
                               .columns = b.pull.size(1),
                               .pull = b.pull.const_data_ptr<float>(),
                               .pullStride = b.pull.stride(0),
                               .hessian = b.hessian.const_data_ptr<float>(),
                               .hessianStride = b.hessian.stride(0),
                               .scale = b.scale.const_data_ptr<float>(),
                               .zero = b.zero.const_data_ptr<float>(),
                               .gridStride = b.scale.stride(0),
                               .grid = b.grid.const_data_ptr<int32_t>(),
                               .bits = b.bits,
                               .codes = b.codes.data_ptr<uint8_t>(),
                               .codeStride = b.codes.stride(0),
                               .change = b.change.data_ptr<float>(),
                               .changeStride = b.change.stride(0)});
    }

    /// Some rows at a time, so that a stop is never far.
    void addProduct(at::Tensor out, const at::Tensor& left, const at::Tensor& right, float factor,
                    const std::stop_token& stop) const override {
        const int64_t rowsAtOnce = std::max<int64_t>(64, kWorkAtOnce / std::max<int64_t>(1, right.numel()));
        for (int64_t r = 0; r < out.size(0); r += rowsAtOnce) {
            checkStop(stop);
            const int64_t end = std::min(out.size(0), r + rowsAtOnce);
            out.slice(0, r, end).addmm_(left.slice(0, r, end), right, 1, factor);
        }
    }

    std::unique_ptr<PackedProduct> packedProduct(const kernels::PackedWeight& weight) const override {
        return std::make_unique<HostPackedProduct>(weight);
    }
};

}  // namespace

const Device& hostDevice() {
    static const HostDevice host;
    return host;
}

}  // namespace owq
