// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace owq {

/// The Mersenne Twister seeded and read as Python's random.Random(seed).randint: the same seed draws the calibration
/// windows that the published GPTQ and OWQ recipes draw.
class PythonRandom {
public:
    explicit PythonRandom(uint64_t seed);
    /// Uniform in [low, high]; needs low <= high.
    int64_t randint(int64_t low, int64_t high);

private:
    uint32_t next();
    uint64_t bits(int count);
    std::array<uint32_t, 624> state_;
    size_t at_ = 624;
};

}  // namespace owq
