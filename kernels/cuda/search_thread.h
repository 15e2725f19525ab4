// SPDX-License-Identifier: Apache-2.0
// The range search of one row (kernels/range_search.h) by a block of threads.
//
// Three facts leave few of the steps * 2^bits candidates, as in kernels/cpu/search_row.inc: the error of a
// value inside the grid does not depend on the zero point; for one step size the loss is convex in the zero
// point; the loss of the clipped values alone only grows as the step size shrinks. The CPU sorts the row, so
// that clipped values are its ends. Here each thread keeps its own values as they come, and one pass over
// them gives the losses of three neighbouring zero points at once: when the middle one is the smallest, the
// step size is done. Powers are the CPU's to the bit; sums are in another order.
#pragma once
#include <cfloat>

#include "kernels/cuda/thread.h"

namespace owq::kernels::cuda {

OWQ_THREAD float lesser(float a, float b) {
    return b < a ? b : a;
}
OWQ_THREAD float greater(float a, float b) {
    return a < b ? b : a;
}

/// |d|^2.4; kernels/cpu/lanes.inc says how.
OWQ_THREAD float power24(float d) {
    const float u = d * d, bits = float(int32_t(bitsOfFloat(u)));
    const float w = floatOfBits(uint32_t(int32_t(bits * -0.2f + 1277903765.5f)));
    const float w2 = w * w, y = u * (w2 * w2), h = 1.0f - y * w, h2 = h * h;
    const float low = (0.9999999979f + 0.8000009f * h) + (0.7200025621f + 0.6717004294f * h) * h2;
    const float high = (0.6379047224f + 0.6376726696f * h) + 0.6227176332f * h2;
    return u * (y * (low + high * (h2 * h2)));
}

struct GridKind {
    int bits, steps;
    bool symmetric, search;
    OWQ_THREAD int levels() const { return (1 << bits) - 1; }
    OWQ_THREAD int middle() const { return 1 << (bits - 1); }
};

struct Grid {
    float scale, zero;
};

OWQ_THREAD float zeroPoint(float low, float scale, int levels) {
    return clamped(rounded(-low / scale), 0.0f, float(levels));
}

/// low <= 0 <= high: the ends of the row's values.
OWQ_THREAD Grid minMaxGrid(float low, float high, const GridKind& kind) {
    if (low == 0 && high == 0) low = -1, high = 1;
    if (kind.symmetric)
        return {greater(greater(-low, high) / float(kind.middle()), FLT_MIN), float(kind.middle())};
    const float scale = greater(lesser(high - low, FLT_MAX) / float(kind.levels()), FLT_MIN);
    return {scale, zeroPoint(low, scale, kind.levels())};
}

struct SearchRule {
    float range, divisor;  ///< step size i = range / steps * i / divisor
    float norm;            ///< power of two that brings the row near 1, so that no power over- or underflows
    int steps, levels, zeroFrom, zeroTo;

    OWQ_THREAD SearchRule(float low, float high, const GridKind& kind)
        : range(kind.symmetric ? greater(-low, high) : lesser(high - low, FLT_MAX)),
          divisor(float(kind.symmetric ? kind.middle() : kind.levels())),
          steps(kind.steps),
          levels(kind.levels()),
          zeroFrom(kind.symmetric ? kind.middle() : 0),
          zeroTo(kind.symmetric ? kind.middle() : kind.levels()) {
        const int exponent = int(bitsOfFloat(range) >> 23);  // range >= 0
        const int wanted = exponent ? 127 - exponent : 100;
        norm = floatOfBits(uint32_t((wanted < -126 ? -126 : wanted > 100 ? 100 : wanted) + 127) << 23);
    }

    /// Step size i of the row times norm.
    OWQ_THREAD float size(int i) const {
        return greater(range / float(steps) * float(i) / divisor, 1e-8f) * norm;
    }
};

struct Candidate {
    int step, zero;
};

/// The sequence of roundings of the authors' code.
OWQ_THREAD Grid gridOf(const SearchRule& rule, Candidate best, const GridKind& kind) {
    const float part = rule.range / float(rule.steps) * float(best.step);
    const float size = greater(part / rule.divisor, 1e-8f);
    if (kind.symmetric) return {size, float(best.zero)};
    const float low = lesser(0.0f, -float(best.zero) * size);
    const float high = greater(0.0f, part - float(best.zero) * size);
    const float scale = greater((high - low) / rule.divisor, 1e-8f);
    return {scale, zeroPoint(low, scale, rule.levels)};
}

/// Sums of |error|^2.4 with the zero points z - 1, z and z + 1: all values, and the clipped ones alone.
struct Losses {
    double all[3] = {0, 0, 0}, clipped[3] = {0, 0, 0};
};

/// Short float sums, long double ones.
constexpr int kShortSum = 32;

/// One thread's values first, first + stride, … below count, added to `sums`. A weak column's value is 0: it
/// lies on every grid and adds nothing.
template <class Values>
OWQ_THREAD void addLosses(const Values& value, int first, int stride, int count, float size, int zero,
                          int levels, Losses& sums) {
    const float lowest = float(-zero), highest = float(levels - zero);
    while (first < count) {
        float inside = 0, atEdge[3] = {0, 0, 0}, clipped[3] = {0, 0, 0};
        for (int n = 0; n < kShortSum && first < count; ++n, first += stride) {
            const float x = value(first), code = rounded(x / size);
            if (code > lowest && code < highest) {  // inside all three grids
                inside += power24(code * size - x);
                continue;
            }
            OWQ_UNROLL for (int i = 0; i < 3; ++i) {
                const float shift = float(1 - i), nearest = clamped(code, lowest + shift, highest + shift);
                const float error = power24(nearest * size - x);
                (nearest == code ? atEdge[i] : clipped[i]) += error;
            }
        }
        OWQ_UNROLL for (int i = 0; i < 3; ++i) {
            sums.all[i] += double(inside) + double(atEdge[i]) + double(clipped[i]);
            sums.clipped[i] += double(clipped[i]);
        }
    }
}

/// One thread's part of Σ |x|^2.4.
template <class Values>
OWQ_THREAD double sumOfPowers(const Values& value, int first, int stride, int count) {
    double total = 0;
    while (first < count) {
        float part = 0;
        for (int n = 0; n < kShortSum && first < count; ++n, first += stride) part += power24(value(first));
        total += double(part);
    }
    return total;
}

/// The search itself. Every thread runs it, and all take the same way, since `Row` hands all the same sums:
/// Losses Row::losses(size, zero) and double Row::sumOfPowers() are over the values of the whole row.
template <class Row>
class RowSearch {
public:
    OWQ_THREAD RowSearch(Row& row, const SearchRule& rule)
        : row_(row), rule_(rule), best_{1, rule.zeroFrom} {}

    OWQ_THREAD Candidate run(float low) {
        const float first = rounded(-(low * rule_.norm) / (rule_.range / rule_.divisor * rule_.norm));
        // A row that is not finite has no first guess.
        zero_ = first > float(rule_.zeroFrom) ? int(clamped(first, float(rule_.zeroFrom), float(rule_.zeroTo))) : rule_.zeroFrom;
        const double norm = root(row_.sumOfPowers()) * kRootMargin;
        double lastRoot = 0, lastSize = 0;
        for (int n = 0; n <= rule_.steps; ++n) {
            // A likely step size first, so that most others are soon known to be worse; then downwards.
            const int i = n == 0 ? rule_.steps - rule_.steps / 4 : rule_.steps + 1 - n;
            // With the codes of step size t kept, size s is off by at most |s - t| / s (‖x‖ + root(loss(s)))
            // more in the 2.4-norm, so loss(s) cannot be far below loss(t). Margins cover all roundings.
            const double size = double(rule_.size(i)), apart = lastSize / size - 1;
            if (lastSize > 0 && lastRoot - apart * norm > (1 + apart) * bestRoot_ * kMargin) continue;
            const double loss = lossOf(i);
            if (n == 0) continue;
            if (smallestClipped_ > bestLoss_ * kMargin) break;
            lastRoot = root(loss) / kRootMargin;
            lastSize = size;
        }
        return best_;
    }

private:
    static constexpr double kMargin = 1 + 1e-5, kRootMargin = 1 + 4e-6;

    /// Within kRootMargin. In float: doubles are slow on most GPUs.
    OWQ_THREAD static double root(double loss) { return loss > 0 ? double(powf(float(loss), 1 / 2.4f)) : 0; }

    /// The loss of step size i with its best zero point. Leaves in smallestClipped_ what no smaller step size
    /// can go below: the loss of the clipped values alone, or 0 where that cannot exceed the best loss.
    OWQ_THREAD double lossOf(int i) {
        const float size = rule_.size(i);
        double found = 0;
        smallestClipped_ = 0;
        bool clippedOnly = false;
        for (int zero = zero_, direction = 0;;) {
            const Losses losses = row_.losses(size, zero);
            const double below = clippedOnly ? losses.clipped[0] : losses.all[0];
            const double here = clippedOnly ? losses.clipped[1] : losses.all[1];
            const double above = clippedOnly ? losses.clipped[2] : losses.all[2];
            // To the first minimum of a convex function, and never back: rounding must not make it go to and
            // fro.
            const int move = zero > rule_.zeroFrom && below <= here ? -1
                             : zero < rule_.zeroTo && above < here  ? 1
                                                                    : 0;
            if (move != 0 && move != -direction) {
                direction = move;
                zero += move;
                continue;
            }
            if (clippedOnly) {
                smallestClipped_ = here;
                return found;
            }
            found = here;
            zero_ = zero;
            // The reference goes upwards and keeps the first: at a tie the smaller step size wins.
            if (found < bestLoss_ || (found == bestLoss_ && i < best_.step)) {
                bestLoss_ = found;
                bestRoot_ = root(found) * kRootMargin;
                best_ = {i, zero};
            }
            if (!(losses.clipped[1] > bestLoss_ * kMargin)) return found;
            clippedOnly = true;
            direction = 0;
        }
    }

    Row& row_;
    const SearchRule& rule_;
    int zero_ = 0;  ///< the best one of the step size before
    Candidate best_;
    double bestLoss_ = DBL_MAX, bestRoot_ = DBL_MAX, smallestClipped_ = 0;
};

}  // namespace owq::kernels::cuda
