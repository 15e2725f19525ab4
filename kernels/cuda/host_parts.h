// SPDX-License-Identifier: Apache-2.0
// What of a packed weight is laid out on the host before it goes to the GPU: facts of the rows, and weak
// weights as halves. C++17, because nvcc sees it.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/cuda/api.h"
#include "kernels/cuda/matvec_plan.h"

namespace owq::kernels::cuda {

struct HostParts {
    MatvecShape shape;
    std::vector<RowFacts> rows;       ///< [tiles * 16]
    std::vector<int32_t> weakInputs;  ///< [shape.weakInputs]
    std::vector<uint32_t> weakWords;  ///< [tiles, weakPairs, 16]
};

/// Weak weights become halves times a power of two of their row, which loses nothing of fp16 and bf16; others
/// the sums of two.
inline HostParts hostParts(const OwqCudaWeight& w) {
    HostParts out;
    const int64_t k = w.weakCount;
    out.shape = {w.rows, w.columns, w.columns - k, w.bits, k, w.groupSize};
    for (int64_t i = 0; w.groupSize && i < w.rows * out.shape.groups(); ++i)
        out.shape.wideGrids = out.shape.wideGrids || !fitsHalves({w.scale[i], w.zero[i]});
    out.rows.resize(size_t(out.shape.tiles() * kTileRows), RowFacts{0, 0, 0, 0});
    std::vector<TwoHalves> halves(size_t(w.rows * k));
    bool two = false;
    for (int64_t r = 0; r < w.rows; ++r) {
        uint32_t largest = 0;
        for (int64_t j = 0; j < k; ++j) largest = std::max(largest, magnitude(w.weakWeight[r * k + j]));
        const InputScale scale = inputScale(largest);
        for (int64_t j = 0; j < k; ++j) {
            halves[size_t(r * k + j)] = splitInput(w.weakWeight[r * k + j], scale.there, true);
            two = two || halves[size_t(r * k + j)].low & 0x7fffu;
        }
        out.rows[size_t(r)] = {w.groupSize ? 0.0f : w.scale[r], w.groupSize ? 0.0f : w.zero[r], scale.back,
                               w.bias ? w.bias[r] : 0.0f};
    }
    for (int part = 0; part < (two ? 2 : 1); ++part)
        out.weakInputs.insert(out.weakInputs.end(), w.weakColumns, w.weakColumns + k);
    out.shape.weakInputs = int64_t(out.weakInputs.size());
    const int64_t pairs = out.shape.weakPairs();
    out.weakWords.resize(size_t(out.shape.tiles() * pairs * kTileRows));
    for (int64_t r = 0; r < w.rows; ++r)
        for (int64_t i = 0; i < out.shape.weakInputs; ++i) {
            const TwoHalves& half = halves[size_t(r * k + i % k)];
            out.weakWords[size_t((r / kTileRows * pairs + i / 2) * kTileRows + r % kTileRows)] |=
                uint32_t(i < k ? half.high : half.low) << (16 * (i % 2));
        }
    return out;
}

}  // namespace owq::kernels::cuda
