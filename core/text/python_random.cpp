// SPDX-License-Identifier: Apache-2.0
#include "core/text/python_random.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <unordered_set>

namespace owq {

// Matsumoto and Nishimura's init_by_array with the seed's 32-bit words as key (one word for seeds below 2^32).
PythonRandom::PythonRandom(uint64_t seed) {
    const std::array<uint32_t, 2> key{uint32_t(seed), uint32_t(seed >> 32)};
    const size_t words = key[1] ? 2 : 1, n = state_.size();
    state_[0] = 19650218u;
    for (uint32_t i = 1; i < n; ++i) state_[i] = 1812433253u * (state_[i - 1] ^ (state_[i - 1] >> 30)) + i;
    size_t i = 1;
    const auto wrap = [&] {
        if (++i >= n) {
            state_[0] = state_[n - 1];
            i = 1;
        }
    };
    for (size_t k = 0, j = 0; k < n; ++k, j = (j + 1) % words) {
        state_[i] = (state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30)) * 1664525u)) + key[j] + uint32_t(j);
        wrap();
    }
    for (size_t k = 0; k < n - 1; ++k) {
        state_[i] = (state_[i] ^ ((state_[i - 1] ^ (state_[i - 1] >> 30)) * 1566083941u)) - uint32_t(i);
        wrap();
    }
    state_[0] = 0x80000000u;
}

uint32_t PythonRandom::next() {
    const size_t n = state_.size();
    if (at_ == n) {
        for (size_t i = 0; i < n; ++i) {
            const uint32_t y = (state_[i] & 0x80000000u) | (state_[(i + 1) % n] & 0x7fffffffu);
            state_[i] = state_[(i + 397) % n] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0u);
        }
        at_ = 0;
    }
    uint32_t y = state_[at_++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

uint64_t PythonRandom::bits(int count) {
    if (count <= 32) return next() >> (32 - count);
    const uint64_t low = next();  // least significant word first
    return low | uint64_t(next() >> (64 - count)) << 32;
}

int64_t PythonRandom::randint(int64_t low, int64_t high) {
    const uint64_t range = uint64_t(high - low) + 1;
    const int count = int(std::bit_width(range));
    uint64_t value = bits(count);
    while (value >= range) value = bits(count);
    return low + int64_t(value);
}

// Few of many are drawn until they differ, many of few from a shrinking pool: which of the two decides what is drawn.
std::vector<int64_t> PythonRandom::sample(int64_t size, int64_t count) {
    std::vector<int64_t> drawn;
    double setSize = 21;
    if (count > 5) setSize += std::pow(4, std::ceil(std::log(double(count * 3)) / std::log(4.0)));
    if (double(size) <= setSize) {
        std::vector<int64_t> pool;
        for (int64_t i = 0; i < size; ++i) pool.push_back(i);
        for (int64_t i = 0; i < count; ++i) {
            const size_t j = size_t(randint(0, size - i - 1));
            drawn.push_back(pool[j]);
            pool[j] = pool[size_t(size - i - 1)];
        }
        return drawn;
    }
    std::unordered_set<int64_t> taken;
    while (int64_t(drawn.size()) < count) {
        const int64_t value = randint(0, size - 1);
        if (taken.insert(value).second) drawn.push_back(value);
    }
    return drawn;
}

}  // namespace owq
