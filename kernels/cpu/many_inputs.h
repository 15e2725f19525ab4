// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <cstring>
#include <vector>

#include "kernels/cpu/packed_table.h"
#include "kernels/float_buffer.h"

namespace owq::kernels {

/// Rounded inputs of up to kManyTokens tokens for a matrix unit, and the memory they lie in.
class ManyInputsBuffer {
public:
    ManyInputsBuffer(int64_t units, int64_t tokens, int64_t parts)
        : units_(units), blocks_((tokens + kBlockTokens - 1) / kBlockTokens), parts_(parts),
          values_(units * blocks_ * parts * kBlockTokens * kUnitColumns / int64_t(sizeof(float))), scale_(units * blocks_ * parts * kBlockTokens) {
        values_.clear();
        scale_.clear();
    }

    ManyInputs view() const { return {reinterpret_cast<const int8_t*>(values_.data()), scale_.data(), blocks_}; }

    /// x [units, 256] of one token; fieldSums as PackedTable::roundInputs gives them. Different tokens may come from different threads.
    void round(const PackedTable& table, const float* x, int64_t token, float* fieldSums) {
        std::vector<int8_t> rounded(size_t(units_ * 2 * kUnitColumns));
        std::vector<float> scale(size_t(units_ * 2));
        table.roundInputs(x, units_, 0, 1, parts_ == 2, {rounded.data(), scale.data()}, fieldSums);
        const int64_t block = token / kBlockTokens, place = token % kBlockTokens;
        auto* const values = reinterpret_cast<int8_t*>(values_.data());
        for (int64_t u = 0; u < units_; u++)
            for (int64_t p = 0; p < parts_; p++) {
                const int64_t at = (u * blocks_ + block) * parts_ + p;
                scale_.data()[at * kBlockTokens + place] = scale[size_t(2 * u + p)];
                const int8_t* const from = rounded.data() + (2 * u + p) * kUnitColumns;
                int8_t* const to = values + at * kBlockTokens * kUnitColumns + 4 * place;
                for (int64_t i = 0; i < kUnitColumns; i += 4) std::memcpy(to + i * kBlockTokens, from + i, 4);
            }
    }

private:
    int64_t units_, blocks_, parts_;
    FloatBuffer values_, scale_;
};

}  // namespace owq::kernels
