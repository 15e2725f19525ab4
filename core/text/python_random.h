// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace owq {

/// The Mersenne Twister seeded and read as Python's random.Random(seed): the same seed draws the calibration windows that the
/// published GPTQ and OWQ recipes draw, and the examples that lm-evaluation-harness puts before a question.
class PythonRandom {
public:
    explicit PythonRandom(uint64_t seed);
    /// Uniform in [low, high]; needs low <= high.
    int64_t randint(int64_t low, int64_t high);
    /// random.sample(range(size), count), in the order drawn; needs count <= size.
    std::vector<int64_t> sample(int64_t size, int64_t count);
    /// random.shuffle.
    template <class T>
    void shuffle(std::vector<T>& values) {
        for (size_t i = values.size(); i-- > 1;) std::swap(values[i], values[size_t(randint(0, int64_t(i)))]);
    }

private:
    uint32_t next();
    uint64_t bits(int count);
    std::array<uint32_t, 624> state_;
    size_t at_ = 624;
};

}  // namespace owq
