// SPDX-License-Identifier: Apache-2.0
// Σ x xᵀ over many vectors x: the sum behind the Hessian (paper Eq. 4).
#pragma once
#include <cstdint>
#include <vector>

#include "kernels/float_buffer.h"

namespace owq::kernels {

struct DenseTable;

/// fp32, lower triangle only, held in the tiles of the inner loop: half the memory of the square, and no
/// strides that fall on the same cache lines. At most 256 products are added one to the next before they go to
/// the sum, so that rounding stays far below that of one long chain.
class GramSum {
public:
    explicit GramSum(int64_t columns);

    int64_t columns() const { return columns_; }
    /// x [tokens, columns]. The sum does not depend on the number of threads, but on how tokens are dealt to calls.
    void add(const float* x, int64_t tokens);
    /// The whole symmetric [columns, columns], each sum times `factor`.
    void copyTo(float factor, float* h) const;

private:
    const DenseTable* table_;
    int64_t columns_, panels_, strips_;
    std::vector<int64_t> firstStrip_, offset_;  ///< by panel: of the first strip that reaches the diagonal, and its tile's place
    FloatBuffer tiles_, panelsOfX_, stripsOfX_;
};

}  // namespace owq::kernels
