// SPDX-License-Identifier: Apache-2.0
// How long products with one weight or another take when the weights come from memory. Internal to core/jobs.
#pragma once
#include <cstdint>
#include <stop_token>
#include <vector>

#include "core/base/progress.h"
#include "core/model/arithmetic.h"
#include "kernels/matvec.h"

namespace owq {

struct ProductShape {
    int64_t rows = 0, columns = 0;
    int bits = 3;
    int64_t weakColumns = 0, groupSize = 0;
    auto operator<=>(const ProductShape&) const = default;
};

struct ProductTime {
    double seconds = 0;  ///< median of the calls
    uint64_t bytes = 0;  ///< that a call reads of the weight
};

/// A packed weight of that shape, its codes random.
struct MadeUpWeight {
    explicit MadeUpWeight(const ProductShape& shape);
    kernels::PackedWeight view() const;
    ProductShape shape;
    std::vector<uint8_t> codes;
    std::vector<float> scale, zero, weakWeight;
    std::vector<int32_t> weakColumns;
};
kernels::Activations activationsOf(Arithmetic arithmetic);  ///< of what is multiplied packed

/// How long is measured, and over how much memory.
struct Timing {
    int64_t bytes = 0;     ///< that are read in turn; 0: so many that no cache holds half of them
    double seconds = 0.4;  ///< of one measurement, at least
};

/// What make() makes, one at least and until all together hold so many bytes, of which each has sizeOf(it). Throws Cancelled.
template <class Made, class Make, class SizeOf>
std::vector<Made> manyOf(int64_t bytes, const std::stop_token& stop, const Make& make, const SizeOf& sizeOf) {
    std::vector<Made> all;
    for (int64_t held = 0; all.empty() || held < bytes; held += int64_t(sizeOf(all.back()))) {
        checkStop(stop);
        all.push_back(make());
    }
    return all;
}

/// Bytes a second at which this machine reads at most: the best of one, two and four streams, with and without asking ahead, median of the
/// passes over them. Of all that follow: with the threads that are set; throws Cancelled.
double readRate(const Timing& timing, const std::stop_token& stop);
/// x [batch, columns] times a packed weight with random codes; not dense. Many equal weights take turns, and the shapes one after the other.
std::vector<ProductTime> packedProductTimes(const std::vector<ProductShape>& shapes, int64_t batch, Arithmetic arithmetic, const Timing& timing,
                                            const std::stop_token& stop);
/// Of one.
ProductTime packedProductTime(const ProductShape& shape, int64_t batch, Arithmetic arithmetic, const Timing& timing, const std::stop_token& stop);
/// The same with 16- or 32-bit floats, by the faster of reading rows and, with 32 bits or many tokens, of float32 panels: what widening
/// 16-bit weights to them takes is not counted.
ProductTime denseProductTime(int64_t rows, int64_t columns, int bits, int64_t batch, const Timing& timing, const std::stop_token& stop);

}  // namespace owq
