// SPDX-License-Identifier: Apache-2.0
// Coordinate descent (kernels/descent.h) on the GPU: a warp has a row, lane l holds its columns l, l + 32, l + 64 and l + 96. Each
// column meets the same operations in the same order as on the CPU, and the results are equal to the bit.
#pragma once
#include "kernels/cuda/thread.h"

namespace owq::kernels::cuda {

constexpr int kDescentLanes = 32;
constexpr int kDescentColumns = 4;  ///< of one lane

struct DescentStep {
    float code = 0, change = 0;
};

/// `curve`: the Hessian's diagonal at this column.
OWQ_THREAD DescentStep descend(float pull, float code, float scale, float zero, float curve, float levels) {
    const float old = scale * (code - zero);
    const float wanted = clamped(nearbyintf((old + pull / curve) / scale) + zero, 0.0f, levels);
    return wanted == code ? DescentStep{code, 0} : DescentStep{wanted, scale * (wanted - code)};
}

}  // namespace owq::kernels::cuda
