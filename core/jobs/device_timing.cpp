// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/device_timing.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <memory>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/device/device.h"

namespace owq {
namespace {

constexpr int64_t kCopied = int64_t(1) << 30;       // bytes, where so many can be had
constexpr int64_t kTileFloats = int64_t(1) << 25;  // of rows that are dequantized at once, as core/model does it

at::Tensor outOf(const Device& device, int64_t tokens, int64_t rows, at::ScalarType type) {
    return at::empty({tokens, rows}, device.options(type));
}

}  // namespace

int64_t DeviceTimer::workingSet() const {
    if (timing_.bytes) return timing_.bytes;
    return std::max<int64_t>(int64_t(1) << 28, 4 * int64_t(device_.cacheBytes()));
}

double DeviceTimer::copyRate(const std::stop_token& stop) {
    checkStop(stop);
    const int64_t most = timing_.bytes ? timing_.bytes : kCopied, free = int64_t(device_.freeMemoryBytes());
    const int64_t bytes = free ? std::min(most, free / 8) : most;
    const at::Tensor from = at::zeros({bytes}, device_.options(at::kByte)), to = at::zeros({bytes}, device_.options(at::kByte));
    const DeviceTime time = device_.timeOf([&] { to.copy_(from); }, timing_.seconds, stop);
    recorded_ = recorded_ && time.recorded;
    return 2 * double(bytes) / time.seconds;
}

ProductTime DeviceTimer::packed(const ProductShape& shape, int64_t batch, Arithmetic arithmetic, const std::stop_token& stop) {
    const MadeUpWeight weight(shape);
    const auto all = manyOf<std::unique_ptr<PackedProduct>>(workingSet(), stop, [&] {
        auto product = device_.packedProduct(weight.view());
        if (!product)
            throw Error("the device has no product for " + std::to_string(shape.bits) + " bits in groups of " + std::to_string(shape.groupSize) + " columns with " +
                            std::to_string(shape.weakColumns) + " weak ones: such weights are dequantized there",
                        device_.name(), "Choose groups of a multiple of " + std::to_string(4 * kernels::kPackedGroup));
        return product;
    }, [](const auto& product) { return product->bytes(); });
    const kernels::Activations activations = activationsOf(arithmetic);
    const at::Tensor x = at::randn({batch, shape.columns}, device_.options(at::kFloat));
    at::Tensor y = outOf(device_, batch, shape.rows, at::kFloat);
    const bool asPacked = all.front()->takes(batch, activations);
    const int64_t tile = std::clamp<int64_t>(kTileFloats / shape.columns, 1, shape.rows);
    const at::Tensor rows = asPacked ? at::Tensor{} : at::empty({tile, shape.columns}, device_.options(at::kFloat));
    const auto dequantized = [&](const PackedProduct& product) {
        for (int64_t begin = 0; begin < shape.rows; begin += tile) {
            const int64_t count = std::min(tile, shape.rows - begin);
            const at::Tensor some = rows.narrow(0, 0, count);
            at::Tensor part = y.narrow(1, begin, count);
            product.dequantizeRows(begin, some);
            at::mm_out(part, x, some.t());
        }
    };
    const DeviceTime time = device_.timeOf(
        [&] {
            for (const auto& product : all)
                if (asPacked)
                    product->multiply(x, activations, y);
                else
                    dequantized(*product);
        },
        timing_.seconds, stop);
    recorded_ = recorded_ && time.recorded;
    return {time.seconds / double(all.size()), all.front()->bytes()};
}

ProductTime DeviceTimer::dense(int64_t rows, int64_t columns, int bits, int64_t batch, const std::stop_token& stop) {
    const at::ScalarType type = bits == 16 ? at::kHalf : at::kFloat;
    const auto all = manyOf<at::Tensor>(workingSet(), stop, [&] { return at::randn({rows, columns}, device_.options(type)); },
                                        [](const at::Tensor& weight) { return weight.nbytes(); });
    const at::Tensor x = at::randn({batch, columns}, device_.options(type));
    at::Tensor y = outOf(device_, batch, rows, type);
    const DeviceTime time = device_.timeOf(
        [&] {
            for (const at::Tensor& weight : all) at::mm_out(y, x, weight.t());
        },
        timing_.seconds, stop);
    recorded_ = recorded_ && time.recorded;
    return {time.seconds / double(all.size()), uint64_t(all.front().nbytes())};
}

}  // namespace owq
