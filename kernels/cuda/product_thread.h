// SPDX-License-Identifier: Apache-2.0
// Dense products in fp32 on the plain cores: a block of 256 threads makes a tile of 128 x 128 of Σ_k A[k][m]
// B[k][n], 8 k at a time from shared memory; a thread makes 8 x 8 of it, as four squares of 4 x 4, so that
// the lanes of a warp read their operands side by side.
#pragma once
#include "kernels/cuda/thread.h"

namespace owq::kernels::cuda {

constexpr int kProductTile = 128, kProductDepth = 8, kProductThreads = 256;

/// The i-th of a thread's eight rows (or columns) of the tile; `at` is its place 0…15 among the threads.
OWQ_THREAD constexpr int productPlace(int at, int i) {
    return i / 4 * 64 + at * 4 + i % 4;
}

/// a, b: this thread's operands for one k.
OWQ_THREAD void addOuterProduct(const float* a, const float* b, float (&sum)[8][8]) {
    OWQ_UNROLL for (int i = 0; i < 8; ++i) {
        OWQ_UNROLL for (int j = 0; j < 8; ++j) sum[i][j] = multiplyAdd(a[i], b[j], sum[i][j]);
    }
}

/// At most so many products are added one to the next, and then to what is there: longer fp32 chains lose
/// digits.
constexpr int64_t kProductChain = 2048;

}  // namespace owq::kernels::cuda
