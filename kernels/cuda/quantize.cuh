// SPDX-License-Identifier: Apache-2.0
// Launchers of the quantizer's kernels; kernels/cuda/api.h says what each computes. Arguments have been
// checked (api.cu). All are asynchronous on `stream`.
#pragma once
#include <cuda_runtime_api.h>

#include "kernels/cuda/api.h"

namespace owq::kernels::cuda {

cudaError_t findGrid(const OwqCudaGridSearch& search, cudaStream_t stream);
cudaError_t roundToGrid(const OwqCudaRounding& rounding, cudaStream_t stream);
cudaError_t quantizeBlock(const OwqCudaColumnBlock& block, cudaStream_t stream);
cudaError_t addProduct(const OwqCudaProduct& product, cudaStream_t stream);
cudaError_t descendBlock(const OwqCudaDescent& block, cudaStream_t stream);
cudaError_t addGram(const OwqCudaInputs& inputs, float* sum, cudaStream_t stream);
cudaError_t finishGram(float* sum, int64_t columns, float factor, cudaStream_t stream);
cudaError_t packCodes(const uint8_t* codes, int64_t rows, int64_t columns, int bits, int32_t* words,
                      cudaStream_t stream);

}  // namespace owq::kernels::cuda
