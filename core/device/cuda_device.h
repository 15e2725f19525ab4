// SPDX-License-Identifier: Apache-2.0
// Private to core sources (LibTorch types).
#pragma once
#include <c10/core/Stream.h>

#include <optional>

#include "core/device/device.h"
#include "kernels/cuda/api.h"

namespace owq {

/// A GPU behind the door of kernels/cuda. Our kernels run in the default stream, as LibTorch's do where nobody chose another, so the
/// two need not wait for each other; both are timed in another one. Nothing in it but `place` is CUDA's: a table of functions for host memory makes it a CPU that
/// takes a GPU's ways (tests).
class CudaDevice : public Device {
public:
    CudaDevice(const OwqCudaApi& api, at::Device place, std::string name);

    at::Device place() const override { return place_; }
    bool isHost() const override { return false; }
    std::string name() const override { return name_; }
    int64_t tokensPerPass() const override { return kDeviceTokens; }
    uint64_t freeMemoryBytes() const override;
    uint64_t cacheBytes() const override;
    void synchronize() const override;
    DeviceTime timeOf(const std::function<void()>& work, double atLeast, const std::stop_token& stop) const override;
    void runAside(const std::function<void()>& work) const override;

    std::unique_ptr<GramSum> gramSum(int64_t columns) const override;
    void findGrid(const at::Tensor& w, const at::Tensor& excluded, const kernels::GridOptions& options, at::Tensor scale,
                  at::Tensor zero, const std::stop_token& stop) const override;
    void roundToGrid(const at::Tensor& w, const at::Tensor& scale, const at::Tensor& zero, int bits, at::Tensor codes,
                     at::Tensor values) const override;
    void addSquaredDifferences(const at::Tensor& a, const at::Tensor& b, at::Tensor total) const override;
    void quantizeBlock(const BlockOfColumns& block) const override;
    void descendBlock(const BlockToDescend& block) const override;
    void addProduct(at::Tensor out, const at::Tensor& left, const at::Tensor& right, float factor,
                    const std::stop_token& stop) const override;
    std::unique_ptr<PackedProduct> packedProduct(const kernels::PackedWeight& weight) const override;

private:
    void check(int32_t answer, const char* what) const;

    const OwqCudaApi& api_;
    const at::Device place_;
    const std::string name_;
    std::optional<c10::Stream> aside_;  ///< one for good: LibTorch keeps freed memory by stream
};

}  // namespace owq
