// SPDX-License-Identifier: Apache-2.0
// How long the products of core/jobs/product_timing.h take on a device (core/device) when the weights come from its memory. Internal to
// core/jobs. Throws Cancelled.
#pragma once
#include "core/jobs/product_timing.h"

namespace owq {

class Device;

/// Times of a device; 0 bytes of Timing: at least twice its last cache.
class DeviceTimer {
public:
    DeviceTimer(const Device& device, const Timing& timing) : device_(device), timing_(timing) {}

    /// Bytes read and written in a second where a large array is copied within the device's memory.
    double copyRate(const std::stop_token& stop);
    /// As the model multiplies there: packed, and above the tokens that the device takes so, dequantized first.
    ProductTime packed(const ProductShape& shape, int64_t batch, Arithmetic arithmetic, const std::stop_token& stop);
    /// LibTorch's product, on a GPU cuBLAS's: inputs, weights and outputs of 16 or 32 bits.
    ProductTime dense(int64_t rows, int64_t columns, int bits, int64_t batch, const std::stop_token& stop);
    /// So far no time holds what the CPU takes to launch.
    bool recorded() const { return recorded_; }

private:
    int64_t workingSet() const;

    const Device& device_;
    const Timing timing_;
    bool recorded_ = true;
};

}  // namespace owq
