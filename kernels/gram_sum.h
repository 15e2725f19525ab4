// SPDX-License-Identifier: Apache-2.0
// Σ x xᵀ over many vectors x: the sum behind the Hessian (paper Eq. 4).
#pragma once
#include <array>
#include <cstdint>
#include <vector>

#include "kernels/float_buffer.h"

namespace owq::kernels {

struct DenseTable;

/// fp32, lower triangle only, held in the tiles of the inner loop: half the memory of the square, and no
/// strides that fall on the same cache lines. At most 256 products are added one to the next before they go to
/// the sum, so that rounding stays far below that of one long chain. Where x holds many zeros (behind a ReLU), tokens that
/// add nothing to a tile are passed over; the sum has the same bits.
class GramSum {
public:
    explicit GramSum(int64_t columns);

    int64_t columns() const { return columns_; }
    /// x [tokens, columns]. The sum does not depend on the number of threads, but on how tokens are dealt to calls.
    void add(const float* x, int64_t tokens);
    /// The whole symmetric [columns, columns], each sum times `factor`.
    void copyTo(float factor, float* h) const;

private:
    /// Which of the tokens at hand are not 0 in all columns of a panel or strip.
    struct TokenMask {
        std::array<uint64_t, 4> bits;
        int64_t count;
    };

    const DenseTable* table_;
    int64_t columns_, panels_, strips_;
    std::vector<int64_t> firstStrip_, offset_;  ///< by panel: of the first strip that reaches the diagonal, and its tile's place
    FloatBuffer tiles_, panelsOfX_, stripsOfX_;
    std::vector<TokenMask> panelMasks_, stripMasks_;  ///< empty until x holds many zeros
};

}  // namespace owq::kernels
