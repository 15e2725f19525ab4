// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/cuda/api.h"
#include "kernels/cuda/matvec_plan.h"

namespace owq::kernels::cuda {

/// A packed weight in GPU memory, rows padded to whole tiles.
struct DeviceWeight {
    MatvecShape shape;
    GpuLimits gpu;
    const uint32_t* words =
        nullptr;  ///< [tiles, units], each [bits, 32 lanes, 4] and its grids (packed_order.h)
    const RowFacts* rows = nullptr;        ///< [tiles * 16]
    const int32_t* weakColumns = nullptr;  ///< [weakCount] ascending
    const int32_t* weakInputs =
        nullptr;  ///< [shape.weakInputs] the columns that weak weights are multiplied with
    const uint32_t* weakWords = nullptr;  ///< [tiles, weakPairs, 16 rows] two halves each
    int64_t weakCount = 0;
};

/// What of a weight is packed, in GPU memory; scale and zero are null but where groups have their own.
struct UnpackedWeight {
    const uint8_t* codes = nullptr;
    const float *scale = nullptr, *zero = nullptr;
};

/// kernels/cuda/api.h says what these compute. Arguments have been checked.
cudaError_t packWeight(const DeviceWeight& weight, const UnpackedWeight& from, uint32_t* words);
size_t workspaceBytes(const DeviceWeight& weight, int64_t batch, int32_t halves);
cudaError_t multiply(const DeviceWeight& weight, const OwqCudaVectors& vectors, cudaStream_t stream);
cudaError_t dequantize(const DeviceWeight& weight, int64_t firstRow, int64_t rows, float* out,
                       cudaStream_t stream);

}  // namespace owq::kernels::cuda
