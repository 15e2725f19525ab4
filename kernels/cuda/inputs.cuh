// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cuda_runtime_api.h>

#include <cstdint>

#include "kernels/cuda/matvec_thread.h"

namespace owq::kernels::cuda {

/// Inputs of some tokens as halves, the weak ones apart (matvec_thread.h); what is beyond the last column is
/// 0.
struct InputWork {
    const void* x;  ///< [tokens, columns]
    int32_t type;   ///< OWQ_CUDA_F32 or OWQ_CUDA_F16
    int32_t halves;
    int32_t columns, kept;
    const int32_t *weakColumns, *weakInputs;
    int32_t weakCount, weakInputCount;
    uint16_t *out, *weakOut;  ///< [tokens * halves, stretch], [tokens * halves, weakStretch]
    int32_t stretch, weakStretch;
    TokenFacts* tokens;
    int32_t* counters;  ///< set to 0
    int32_t counterCount;
    float* pairSums;  ///< [tokens * halves, stretch / kPairColumns] sums of the halves, or null: then tokens
                      ///< get theirs
};
/// Lets a kernel that was launched to do so begin early.
cudaError_t prepareInputs(const InputWork& work, int tokens, cudaStream_t stream);

}  // namespace owq::kernels::cuda
