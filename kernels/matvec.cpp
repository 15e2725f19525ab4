// SPDX-License-Identifier: Apache-2.0
#include "kernels/matvec.h"

#include <algorithm>

#include "kernels/cpu/features.h"
#include "kernels/cpu/matvec_tile.h"
#include "kernels/thread_pool.h"

namespace owq::kernels {
namespace {

constexpr int64_t kWorkPerRange =
    1 << 17;  // codes times tokens: below that waking a thread costs more than it saves

cpu::TileKernel tileKernel(int bits, int tokens) {
    return instructionSet() >= InstructionSet::avx2 ? cpu::tileKernelAvx2(bits, tokens)
                                                    : cpu::tileKernelScalar(bits, tokens);
}

/// x of some tokens as the inner loop wants it, [columns, tokens]. Weak inputs are zero: their codes equal
/// the zero point, so they add nothing, but being the largest activations they would cancel badly between Σ
/// code x and zero Σ x.
struct StagedInputs {
    StagedInputs(const float* x, int64_t columns, int tokens, const std::vector<int32_t>& weak, bool scaled)
        : values(size_t(columns) * tokens), sum(size_t(tokens)) {
        for (int t = 0; t < tokens; ++t)
            for (int64_t c = 0; c < columns; ++c) values[size_t(c * tokens + t)] = x[t * columns + c];
        for (int32_t c : weak) std::fill_n(values.begin() + int64_t(c) * tokens, tokens, 0.0f);
        for (int64_t c = 0; c < columns; ++c)
            for (int t = 0; t < tokens; ++t) sum[size_t(t)] += double(values[size_t(c * tokens + t)]);
        if (!scaled) return;
        constexpr float kPower[8] = {1, 0x1p-4f, 0x1p-8f, 0x1p-12f, 0x1p-16f, 0x1p-20f, 0x1p-24f, 1};
        for (int64_t c = 0; c < columns; ++c)
            for (int t = 0; t < tokens; ++t) values[size_t(c * tokens + t)] *= kPower[c % 8];
    }
    std::vector<float> values;
    std::vector<double> sum;  // Σ x of a token, weak inputs left out
};

}  // namespace

PackedMatrix::PackedMatrix(const int32_t* words, int64_t rows, int64_t columns, int bits, const float* scale,
                           const float* zero, const int32_t* weakColumns, const float* weakWeight,
                           int64_t weakCount, const float* bias)
    : rows_(rows), columns_(columns), wordRows_(columns / 32 * bits), bits_(bits) {
    const int64_t tiles = (rows + kTile - 1) / kTile;
    words_.resize(size_t(tiles * wordRows_));
    scale_.resize(size_t(tiles * kTile));
    zero_.resize(size_t(tiles * kTile));
    weakWeight_.resize(size_t(tiles * kTile * weakCount));
    std::copy_n(scale, rows, scale_.begin());
    std::copy_n(zero, rows, zero_.begin());
    if (weakCount) weakColumns_.assign(weakColumns, weakColumns + weakCount);
    if (bias) bias_.assign(bias, bias + rows);
    // Each thread makes the tiles that it later reads, which on large machines places them in its own memory.
    parallelFor(tiles, std::max<int64_t>(1, kWorkPerRange / (columns * kTile)),
                [&](int64_t begin, int64_t end) {
                    for (int64_t tile = begin; tile < end; ++tile) {
                        const int64_t first = tile * kTile, lanes = std::min(kTile, rows - first);
                        for (int64_t w = 0; w < wordRows_; ++w) {
                            Lanes& out = words_[size_t(tile * wordRows_ + w)];
                            for (int64_t lane = 0; lane < lanes; ++lane)
                                out.word[lane] = uint32_t(words[w * rows + first + lane]);
                        }
                        for (int64_t j = 0; j < weakCount; ++j)
                            for (int64_t lane = 0; lane < lanes; ++lane)
                                weakWeight_[size_t((tile * weakCount + j) * kTile + lane)] =
                                    weakWeight[(first + lane) * weakCount + j];
                    }
                });
}

uint64_t PackedMatrix::bytes() const {
    return words_.size() * sizeof(Lanes) +
           (scale_.size() + zero_.size() + weakWeight_.size() + bias_.size()) * sizeof(float) +
           weakColumns_.size() * sizeof(int32_t);
}

void PackedMatrix::multiply(const float* x, int64_t batch, float* y) const {
    const int64_t tiles = (rows_ + kTile - 1) / kTile, k = weakCount();
    for (int64_t first = 0; first < batch; first += cpu::kTokens) {
        const int tokens = int(std::min<int64_t>(cpu::kTokens, batch - first));
        const cpu::TileKernel kernel = tileKernel(bits_, tokens);
        const float* in = x + first * columns_;
        float* out = y + first * rows_;
        const StagedInputs staged(in, columns_, tokens, weakColumns_, bits_ == 4 && kernel.scaledInputs);
        const int64_t grain = std::max<int64_t>(1, kWorkPerRange / (columns_ * kTile * tokens));
        parallelFor(tiles, grain, [&](int64_t begin, int64_t end) {
            float sums[cpu::kTokens * kTile];
            for (int64_t tile = begin; tile < end; ++tile) {
                kernel.sums(tileWords(tile), columns_ / 32, staged.values.data(), sums);
                const float* weak = weakWeight_.data() + tile * k * kTile;
                for (int64_t lane = 0; lane < std::min(kTile, rows_ - tile * kTile); ++lane) {
                    const int64_t r = tile * kTile + lane;
                    const double zero = double(zero_[size_t(r)]) - double(kernel.centre);
                    for (int t = 0; t < tokens; ++t) {
                        double value = double(scale_[size_t(r)]) *
                                       (double(sums[t * kTile + lane]) - zero * staged.sum[size_t(t)]);
                        for (int64_t j = 0; j < k; ++j)
                            value += double(weak[j * kTile + lane]) *
                                     double(in[t * columns_ + weakColumns_[size_t(j)]]);
                        if (!bias_.empty()) value += double(bias_[size_t(r)]);
                        out[t * rows_ + r] = float(value);
                    }
                }
            }
        });
    }
}

void PackedMatrix::dequantizeRows(int64_t begin, int64_t end, float* out) const {
    const int64_t k = weakCount();
    parallelFor(end - begin, std::max<int64_t>(1, kWorkPerRange / columns_), [&](int64_t from, int64_t to) {
        for (int64_t i = from; i < to; ++i) {
            const int64_t r = begin + i, tile = r / kTile, lane = r % kTile;
            const float scale = scale_[size_t(r)], zero = zero_[size_t(r)];
            float values[16];
            for (int q = 0; q < 16; ++q) values[q] = scale * (float(q) - zero);
            const uint32_t* words = tileWords(tile) + lane;
            float* row = out + i * columns_;
            for (int64_t g = 0; g < columns_ / 32; ++g, words += bits_ * kTile, row += 32) {
                if (bits_ == 3) {
                    const uint64_t low = words[0] | uint64_t(words[kTile]) << 32;
                    const uint64_t high = words[kTile] >> 31 | uint64_t(words[2 * kTile])
                                                                   << 1;  // from code 21 on
                    for (int c = 0; c < 21; ++c) row[c] = values[low >> (3 * c) & 7];
                    for (int c = 21; c < 32; ++c) row[c] = values[high >> (3 * (c - 21)) & 7];
                } else {
                    for (int c = 0; c < 32; ++c) row[c] = values[words[c / 8 * kTile] >> (c % 8 * 4) & 15];
                }
            }
            row = out + i * columns_;
            for (int64_t j = 0; j < k; ++j)
                row[weakColumns_[size_t(j)]] = weakWeight_[size_t((tile * k + j) * kTile + lane)];
        }
    });
}

void PackedMatrix::fileWords(int32_t* words) const {
    for (int64_t r = 0; r < rows_; ++r)
        for (int64_t w = 0; w < wordRows_; ++w)
            words[w * rows_ + r] = int32_t(tileWords(r / kTile)[w * kTile + r % kTile]);
}

}  // namespace owq::kernels
