// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstring>
#include <random>
#include <vector>

#include "core/base/half.h"
#include "kernels/stored_matrix.h"

namespace owq::kernels {

inline constexpr StoredType kTypes[] = {StoredType::f32, StoredType::f16, StoredType::bf16};

/// Numbers of any type in memory, and what they are.
struct Stored {
    Stored(StoredType type, int64_t rows, int64_t columns, unsigned seed) : bytes(size_t(rows * columns * bytesOf(type)) + 1) {
        std::mt19937 random(seed);
        std::student_t_distribution<float> heavy(4);
        for (int64_t i = 0; i < rows * columns; i++) {
            const float value = heavy(random) * (i % 7 == 3 ? 1e-6f : 1.f);  // some are subnormal as 16-bit floats
            uint8_t* const at = data() + i * bytesOf(type);
            const uint16_t half = type == StoredType::f16 ? floatToHalf(value) : floatToBfloat16(value);
            if (type == StoredType::f32)
                std::memcpy(at, &value, sizeof value);
            else
                std::memcpy(at, &half, sizeof half);
            values.push_back(type == StoredType::f32 ? value : type == StoredType::f16 ? halfToFloat(half) : bfloat16ToFloat(half));
        }
    }
    uint8_t* data() { return bytes.data() + 1; }  // at an odd address, as in some files
    std::vector<uint8_t> bytes;
    std::vector<float> values;
};

}  // namespace owq::kernels
