// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cuda_runtime_api.h>

#include <cstdint>

namespace owq::kernels::cuda {

/// A packed weight in GPU memory, rows padded to whole tiles.
struct DeviceWeight {
    int64_t rows = 0, paddedRows = 0, columns = 0, chunks = 0;
    int bits = 3;
    const uint32_t* words = nullptr;                // layout.h
    const float *scale = nullptr, *zero = nullptr;  // [paddedRows]
    const int32_t* weakColumns = nullptr;
    const uint16_t* weakHalf = nullptr;  // [weakCount, paddedRows], one of the two
    const float* weakFloat = nullptr;
    int64_t weakCount = 0;
    const float* bias = nullptr;  // [rows] or null
};

/// kernels/cuda/api.h says what it computes.
cudaError_t multiply(const DeviceWeight& weight, const uint16_t* x, int64_t batch, float* y,
                     cudaStream_t stream);

}  // namespace owq::kernels::cuda
