// SPDX-License-Identifier: Apache-2.0
// A block of the GPU's packed product on the host (kernels/cuda/matvec.cu): the same functions, lane by lane,
// and a tensor core.
#pragma once
#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "kernels/cuda/host_parts.h"

namespace owq::kernels::emulated {

namespace gpu = cuda;

using Left = std::array<std::array<uint32_t, 4>, 32>;  ///< registers of 32 lanes
using Right = std::array<std::array<uint32_t, 2>, 32>;
using Sums = std::array<std::array<float, 4>, 32>;

inline float halfIn(uint32_t word, int h) {
    return gpu::floatOfHalf(uint16_t(word >> (16 * h)));
}

/// c + Σ a b as a tensor core may do it at worst: exact products, all addends cut off at 23 bits below the
/// largest, the sum cut off to fp32.
inline float fused(const float* a, const float* b, int depth, float c) {
    double largest = std::abs(double(c)), sum = 0;
    for (int k = 0; k < depth; ++k) largest = std::max(largest, std::abs(double(a[k]) * double(b[k])));
    if (!(largest > 0) || !std::isfinite(largest)) {
        for (int k = 0; k < depth; ++k) c += a[k] * b[k];
        return c;
    }
    const int exponent = std::ilogb(largest) - 23;
    const auto cut = [](double value, int to) { return std::ldexp(std::trunc(std::ldexp(value, -to)), to); };
    sum = cut(double(c), exponent);
    for (int k = 0; k < depth; ++k) sum += cut(double(a[k]) * double(b[k]), exponent);
    return sum == 0 ? 0.0f : float(cut(sum, std::ilogb(sum) - 23));
}

/// mma.m16n8k16.row.col.f32.f16.f16.f32, its fragments as the PTX ISA lists them: with g = lane / 4 and t =
/// lane % 4,
///   a0: (g, 2t), (g, 2t+1)   a1: (g+8, 2t), …   a2: (g, 2t+8), …   a3: (g+8, 2t+8), …
///   b0: (2t, g), (2t+1, g)   b1: (2t+8, g), (2t+9, g)   c0, c1: (g, 2t), (g, 2t+1)   c2, c3: (g+8, 2t),
///   (g+8, 2t+1)
inline void multiplyAccumulate(Sums& c, const Left& a, const Right& b, int depth = 16) {
    float left[16][16], right[8][16];
    for (int lane = 0; lane < 32; ++lane) {
        const int g = lane / 4, t = lane % 4;
        for (int h = 0; h < 2; ++h) {
            left[g][2 * t + h] = halfIn(a[size_t(lane)][0], h);
            left[g + 8][2 * t + h] = halfIn(a[size_t(lane)][1], h);
            left[g][2 * t + 8 + h] = halfIn(a[size_t(lane)][2], h);
            left[g + 8][2 * t + 8 + h] = halfIn(a[size_t(lane)][3], h);
            right[g][2 * t + h] = halfIn(b[size_t(lane)][0], h);
            right[g][2 * t + 8 + h] = halfIn(b[size_t(lane)][1], h);
        }
    }
    for (int lane = 0; lane < 32; ++lane) {
        const int g = lane / 4, t = lane % 4;
        for (int i = 0; i < 4; ++i) {
            float& sum = c[size_t(lane)][size_t(i)];
            sum = fused(left[g + i / 2 * 8], right[2 * t + i % 2], depth, sum);
        }
    }
}

/// Words of a weight, as kernels/cuda/packed_weight.cu makes them.
template <int kBits>
std::vector<uint32_t> packed(const OwqCudaWeight& w, const gpu::MatvecShape& shape) {
    std::vector<uint32_t> words(size_t(shape.words()));
    for (int64_t unit = 0; unit < shape.tiles() * shape.units(); ++unit) {
        for (int in = 0; in < gpu::gridWords(shape.folds(), shape.wideGrids); ++in)
            words[size_t(unit * shape.unitStride() + gpu::unitWords(kBits) + in)] =
                gpu::gridWord(in, shape.wideGrids, [&](int row, int fold) {
                    return shape.gridOf(w.scale, w.zero, unit / shape.units() * gpu::kTileRows + row,
                                        unit % shape.units(), fold);
                });
        for (int in = 0; in < gpu::unitWords(kBits); ++in)
            words[size_t(unit * shape.unitStride() + in)] =
                gpu::packWord<kBits>(in / 128, in / 4 % 32, in % 4, [&](int row, int column) -> uint32_t {
                    const int64_t r = unit / shape.units() * gpu::kTileRows + row,
                                  i = unit % shape.units() * gpu::kPackUnit + column;
                    if (r >= shape.rows || i >= shape.kept) return 0;
                    return w.codes[r * shape.columns + gpu::keptColumn(w.weakColumns, w.weakCount, i)];
                });
    }
    return words;
}

/// Inputs as halves, [inputs, stretch] and [inputs, weakStretch].
struct Inputs {
    std::vector<uint16_t> x, weak;
    std::vector<gpu::TokenFacts> tokens;
    std::vector<float> pairSums;  ///< [inputs, units * kUnitPairs]
};
/// As a warp sums one value a lane.
inline float ofWarp(const std::array<float, 32>& values) {
    std::array<float, 32> sums = values;
    for (size_t apart = 16; apart; apart /= 2) {
        const std::array<float, 32> before = sums;
        for (size_t lane = 0; lane < 32; ++lane) sums[lane] = before[lane] + before[lane ^ apart];
    }
    return sums[0];
}
inline Inputs prepared(const OwqCudaWeight& w, const gpu::HostParts& parts, const float* x, int64_t tokens,
                       int halves) {
    const gpu::MatvecWorkspace place = gpu::matvecWorkspace(parts.shape, tokens * halves, tokens, 1, 1);
    Inputs out{std::vector<uint16_t>(size_t(tokens * halves * place.stretch)),
               std::vector<uint16_t>(size_t(tokens * halves * place.weakStretch)),
               {},
               {}};
    for (int64_t t = 0; t < tokens; ++t) {
        const float* const row = x + t * w.columns;
        uint32_t largest = 0, weakLargest = 0;
        for (int64_t i = 0; i < parts.shape.kept; ++i)
            largest = std::max(largest, gpu::magnitude(row[gpu::keptColumn(w.weakColumns, w.weakCount, i)]));
        for (const int32_t c : parts.weakInputs) weakLargest = std::max(weakLargest, gpu::magnitude(row[c]));
        const gpu::InputScale scale = gpu::inputScale(largest), weakScale = gpu::inputScale(weakLargest);
        double sum = 0;
        const auto put = [&](std::vector<uint16_t>& to, int64_t stretch, int64_t i, float value,
                             float there) {
            const gpu::TwoHalves half = gpu::splitInput(value, there, halves == 2);
            to[size_t(t * halves * stretch + i)] = half.high;
            if (halves == 2) to[size_t((t * halves + 1) * stretch + i)] = half.low;
            return double(gpu::floatOfHalf(half.high)) + double(gpu::floatOfHalf(half.low));
        };
        for (int64_t i = 0; i < parts.shape.kept; ++i)
            sum += put(out.x, place.stretch, i, row[gpu::keptColumn(w.weakColumns, w.weakCount, i)],
                       scale.there);
        for (size_t j = 0; j < parts.weakInputs.size(); ++j)
            put(out.weak, place.weakStretch, int64_t(j), row[parts.weakInputs[j]], weakScale.there);
        out.tokens.push_back({scale.back, float(sum), weakScale.back});
    }
    for (size_t first = 0; first < out.x.size(); first += gpu::kPairColumns) {
        std::array<float, 32> pair;
        for (size_t lane = 0; lane < 32; ++lane) pair[lane] = gpu::floatOfHalf(out.x[first + lane]);
        out.pairSums.push_back(ofWarp(pair));
    }
    return out;
}

/// Adds a unit to the sums of a warp, [token tiles]. x: the unit's columns of input 0; pairSums: theirs.
template <int kBits>
void addUnit(const gpu::MatvecShape& shape, const uint32_t* unit, const uint16_t* x, const float* pairSums,
             int64_t stretch, int inputs, std::vector<Sums>& total) {
    const int pairs = shape.foldPairs(), steps = pairs ? 2 * pairs : gpu::kUnitSteps;
    for (size_t n = 0; n < total.size(); ++n) {
        std::vector<Sums> sets(size_t(gpu::setCount(kBits)));
        for (int step = 0; step < gpu::kUnitSteps; ++step) {
            Left a;
            Right b;
            for (int lane = 0; lane < 32; ++lane) {
                uint32_t words[kBits][4];
                for (int v = 0; v < kBits; ++v) std::copy_n(unit + (v * 32 + lane) * 4, 4, words[v]);
                for (int j = 0; j < 4; ++j)
                    a[size_t(lane)][size_t(j)] = gpu::operand<kBits>(&words[0][j], step);
                // 16 bytes of the lane's input hold two steps
                const uint16_t* const at =
                    x + std::min(int(n) * gpu::kTokenTile + lane / 4, inputs - 1) * stretch + step / 2 * 32 +
                    lane % 4 * 8 + step % 2 * 4;
                b[size_t(lane)] = {at[0] | uint32_t(at[1]) << 16, at[2] | uint32_t(at[3]) << 16};
            }
            multiplyAccumulate(sets[size_t(gpu::stepSet<kBits>(step))], a, b);
            if ((step + 1) % steps) continue;
            for (int lane = 0; lane < 32; ++lane)
                for (int i = 0; i < 4; ++i) {
                    float sums[8], &sum = total[n][size_t(lane)][size_t(i)];
                    for (size_t s = 0; s < sets.size(); ++s) sums[s] = sets[s][size_t(lane)][size_t(i)];
                    if (!pairs) {
                        sum = gpu::joinSets<kBits>(sums, 1, sum);
                        continue;
                    }
                    const int fold = step / steps,
                              column = std::min(int(n) * gpu::kTokenTile + lane % 4 * 2 + i % 2, inputs - 1);
                    sum = gpu::foldSets<kBits>(
                        sums, 1, fold * steps, steps,
                        gpu::gridAt(unit + gpu::unitWords(kBits), shape.wideGrids, lane / 4 + i / 2 * 8,
                                    fold),
                        gpu::foldInputs(pairSums + column * (stretch / gpu::kPairColumns) + fold * pairs,
                                        pairs),
                        sum);
                }
            std::fill(sets.begin(), sets.end(), Sums{});
        }
    }
}

inline void addWeakStep(const uint32_t* words, int64_t pairs, const uint16_t* x, int64_t stretch, int inputs,
                        int step, std::vector<Sums>& total) {
    for (size_t n = 0; n < total.size(); ++n) {
        Left a{};
        Right b{};
        for (int lane = 0; lane < 32; ++lane) {
            const int64_t pair = step * 4 + lane % 4;
            if (pair < pairs)
                a[size_t(lane)] = {words[pair * gpu::kTileRows + lane / 4],
                                   words[pair * gpu::kTileRows + lane / 4 + 8], 0, 0};
            const uint16_t* const at = x +
                                       std::min(int(n) * gpu::kTokenTile + lane / 4, inputs - 1) * stretch +
                                       step * gpu::kWeakStep + lane % 4 * 2;
            b[size_t(lane)][0] = at[0] | uint32_t(at[1]) << 16;
        }
        multiplyAccumulate(total[n], a, b, 8);
    }
}

/// Products of some tokens, their blocks in turn. tokens * halves at most inputsAtOnce.
template <int kBits>
std::vector<float> multiplyFew(const OwqCudaWeight& w, const float* x, int64_t tokens, int halves,
                               const gpu::GpuLimits& limits) {
    const gpu::HostParts parts = gpu::hostParts(w);
    const gpu::MatvecShape& shape = parts.shape;
    const std::vector<uint32_t> words = packed<kBits>(w, shape);
    const Inputs in = prepared(w, parts, x, tokens, halves);
    const int inputs = int(tokens) * halves;
    const gpu::MatvecPlan plan = gpu::planMatvec(shape, inputs, limits);
    if (!plan.shared) throw std::logic_error("the emulated GPU is too small");
    const gpu::MatvecWorkspace place =
        gpu::matvecWorkspace(shape, inputs, tokens, plan.parts, plan.stretches);
    std::vector<float> y(size_t(tokens * w.rows), NAN), sums(size_t(plan.parts * tokens * w.rows), NAN);
    for (int64_t block = 0; block < plan.blocks(); ++block) {
        const int64_t part = block % plan.parts, stretch = block / plan.parts,
                      firstUnit = part * plan.unitsOfPart;
        const int64_t firstTile = shape.tiles() * stretch / plan.stretches,
                      endTile = shape.tiles() * (stretch + 1) / plan.stretches;
        const bool last = part == plan.parts - 1;
        const gpu::TileItems items{int(last ? shape.units() - firstUnit : plan.unitsOfPart),
                                   last ? int(shape.weakSteps()) : 0};
        for (int64_t tile = firstTile; tile < endTile; ++tile) {
            std::vector<std::vector<Sums>> slots(2 * gpu::kMatvecWarps,
                                                 std::vector<Sums>(size_t(plan.tokenTiles)));
            for (int warp = 0; warp < gpu::kMatvecWarps; ++warp) {
                const int phase = items.phase(warp, int(tile - firstTile)),
                          firstWeak = items.firstWeak(phase);
                for (int unit = phase; unit < items.units; unit += gpu::kMatvecWarps)
                    addUnit<kBits>(
                        shape, &words[size_t((tile * shape.units() + firstUnit + unit) * shape.unitStride())],
                        &in.x[size_t((firstUnit + unit) * gpu::kPackUnit)],
                        &in.pairSums[size_t((firstUnit + unit) * gpu::kUnitPairs)], place.stretch, inputs,
                        slots[size_t(phase)]);
                for (int step = firstWeak; step < items.weakSteps; step += gpu::kMatvecWarps)
                    addWeakStep(&parts.weakWords[size_t(tile * shape.weakPairs() * gpu::kTileRows)],
                                shape.weakPairs(), in.weak.data(), place.weakStretch, inputs, step,
                                slots[size_t(gpu::kMatvecWarps + firstWeak)]);
            }
            for (int o = 0; o < gpu::kTileRows * tokens; ++o) {
                const int token = o / gpu::kTileRows, r = o % gpu::kTileRows;
                const int64_t row = tile * gpu::kTileRows + r;
                float sum = 0, weak = 0;
                for (int h = 0; h < halves; ++h) {
                    const int column = token * halves + h, n = column / 8, lane = r % 8 * 4 + column % 8 / 2,
                              i = r / 8 * 2 + column % 2;
                    for (int p = 0; p < items.unitPhases(); ++p)
                        sum += slots[size_t(p)][size_t(n)][size_t(lane)][size_t(i)];
                    for (int p = 0; p < items.weakPhases(); ++p)
                        weak += slots[size_t(gpu::kMatvecWarps + p)][size_t(n)][size_t(lane)][size_t(i)];
                }
                gpu::RowFacts facts = parts.rows[size_t(row)];
                gpu::TokenFacts mine = in.tokens[size_t(token)];
                if (!last) facts.bias = 0, mine.sum = 0;
                if (row < w.rows)
                    sums[size_t((part * tokens + token) * w.rows + row)] =
                        shape.groupSize ? gpu::finishedGroups(sum, weak, facts, mine)
                                        : gpu::finished(sum, weak, facts, mine);
            }
        }
    }
    for (int64_t at = 0; at < tokens * w.rows; ++at) {
        float sum = plan.parts == 1 ? sums[size_t(at)] : 0;
        for (int64_t p = 0; p < (plan.parts == 1 ? 0 : plan.parts); ++p)
            sum += sums[size_t(p * tokens * w.rows + at)];
        y[size_t(at)] = sum;
    }
    return y;
}

inline std::vector<float> multiply(const OwqCudaWeight& w, const float* x, int64_t tokens, int halves,
                                   const gpu::GpuLimits& limits = {}) {
    std::vector<float> y;
    const int64_t atOnce = gpu::inputsAtOnce(gpu::hostParts(w).shape, limits) / halves;
    for (int64_t first = 0; first < tokens; first += atOnce) {
        const int64_t count = std::min(atOnce, tokens - first);
        const float* const in = x + first * w.columns;
        const std::vector<float> some = w.bits == 2   ? multiplyFew<2>(w, in, count, halves, limits)
                                        : w.bits == 3 ? multiplyFew<3>(w, in, count, halves, limits)
                                        : w.bits == 4 ? multiplyFew<4>(w, in, count, halves, limits)
                                                      : multiplyFew<8>(w, in, count, halves, limits);
        y.insert(y.end(), some.begin(), some.end());
    }
    return y;
}

}  // namespace owq::kernels::emulated
