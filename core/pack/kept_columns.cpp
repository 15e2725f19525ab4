// SPDX-License-Identifier: Apache-2.0
#include "core/pack/kept_columns.h"

#include "kernels/thread_pool.h"

namespace owq::packing {
namespace {

constexpr int64_t kTogether = 64;  // neighbouring columns share cache lines of the row-major codes

}  // namespace

std::vector<int32_t> keptColumns(int64_t columns, const std::vector<int32_t>& weak) {
    std::vector<int32_t> kept;
    kept.reserve(size_t(columns) - weak.size());
    size_t next = 0;
    for (int32_t c = 0; c < columns; ++c) {
        if (next < weak.size() && weak[next] == c)
            ++next;
        else
            kept.push_back(c);
    }
    return kept;
}

std::vector<uint8_t> packLines(const std::vector<uint8_t>& codes, int64_t rows, int64_t columns, int bits,
                               const std::vector<int32_t>& kept) {
    const int64_t line = (rows * bits + 7) / 8;
    std::vector<uint8_t> lines(kept.size() * size_t(line));
    kernels::parallelFor(int64_t(kept.size()), kTogether, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            uint8_t* to = &lines[size_t(i * line)];
            uint32_t waiting = 0;
            int held = 0;
            for (int64_t r = 0; r < rows; ++r) {
                waiting |= uint32_t(codes[size_t(r * columns + kept[size_t(i)])]) << held;
                for (held += bits; held >= 8; held -= 8, waiting >>= 8) *to++ = uint8_t(waiting);
            }
            if (held) *to = uint8_t(waiting);
        }
    });
    return lines;
}

void unpackLines(const uint8_t* lines, int64_t rows, int64_t columns, int bits, const std::vector<int32_t>& kept,
                 uint8_t* codes) {
    const int64_t line = (rows * bits + 7) / 8;
    const uint32_t mask = (1u << bits) - 1;
    kernels::parallelFor(int64_t(kept.size()), kTogether, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
            const uint8_t* from = lines + i * line;
            uint32_t waiting = 0;
            int held = 0;
            for (int64_t r = 0; r < rows; ++r) {
                if (held < bits) {
                    waiting |= uint32_t(*from++) << held;
                    held += 8;
                }
                codes[r * columns + kept[size_t(i)]] = uint8_t(waiting & mask);
                waiting >>= bits;
                held -= bits;
            }
        }
    });
}

}  // namespace owq::packing
