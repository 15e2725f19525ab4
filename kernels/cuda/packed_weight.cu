// SPDX-License-Identifier: Apache-2.0
// A packed weight is made on the GPU, and made dense again for products with many tokens.
#include "kernels/cuda/matvec.cuh"

namespace owq::kernels::cuda {
namespace {

constexpr int kThreads = 256;
static_assert(kThreads == kPackUnit, "a thread makes a column of a unit dense");

/// One thread a word.
template <int kBits>
__global__ void __launch_bounds__(kThreads)
    packUnits(const DeviceWeight weight, const UnpackedWeight from, uint32_t* __restrict__ words) {
    const int64_t index = int64_t(blockIdx.x) * kThreads + threadIdx.x;
    if (index >= weight.shape.words()) return;
    const int64_t unit = index / weight.shape.unitStride(), tile = unit / weight.shape.units(),
                  first = unit % weight.shape.units() * kPackUnit;
    const int in = int(index % weight.shape.unitStride()), word = in % kOperandWords,
              lane = in / kOperandWords % kWarpLanes, vector = in / (kOperandWords * kWarpLanes);
    if (in >= unitWords(kBits)) {
        words[index] = gridWord(in - unitWords(kBits), weight.shape.wideGrids, [&](int row, int fold) {
            return weight.shape.gridOf(from.scale, from.zero, tile * kTileRows + row,
                                       unit % weight.shape.units(), fold);
        });
        return;
    }
    words[index] = packWord<kBits>(vector, lane, word, [&](int row, int column) -> uint32_t {
        const int64_t r = tile * kTileRows + row, i = first + column;
        if (r >= weight.shape.rows || i >= weight.shape.kept) return 0;
        return from.codes[r * weight.shape.columns + keptColumn(weight.weakColumns, weight.weakCount, i)];
    });
}

template <int kBits>
cudaError_t launchPack(const DeviceWeight& weight, const UnpackedWeight& from, uint32_t* words) {
    packUnits<kBits>
        <<<unsigned((weight.shape.words() + kThreads - 1) / kThreads), kThreads>>>(weight, from, words);
    return cudaGetLastError();
}

/// Blocks (unit, tile of rows); those behind the last unit make the weak columns. kGroups: groups have grids
/// of their own.
template <int kBits, bool kGroups>
__global__ void __launch_bounds__(kThreads)
    makeDense(const DeviceWeight weight, int64_t firstRow, int64_t rows, float* __restrict__ out) {
    const int64_t unit = blockIdx.x, tile = firstRow / kTileRows + blockIdx.y, units = weight.shape.units();
    const bool weak = unit == units;
    const int pairs = kGroups ? weight.shape.foldPairs() : 1;
    const int64_t stride = kGroups ? weight.shape.unitStride() : unitWords(kBits);
    const int64_t count = weak ? weight.weakCount : weight.shape.kept;
    for (int64_t i = (weak ? 0 : unit * kPackUnit) + threadIdx.x; i < count; i += weak ? kThreads : count) {
        const int64_t column =
            weak ? weight.weakColumns[i] : keptColumn(weight.weakColumns, weight.weakCount, i);
        for (int r = 0; r < kTileRows; ++r) {
            const int64_t row = tile * kTileRows + r;
            if (row < firstRow || row >= firstRow + rows) continue;
            const RowFacts facts = weight.rows[row];
            float value;
            if (weak) {
                const auto half = [&](int64_t j) {
                    return floatOfHalf(uint16_t(
                        weight.weakWords[(tile * weight.shape.weakPairs() + j / 2) * kTileRows + r] >>
                        (16 * (j % 2))));
                };
                value = half(i);
                if (weight.shape.weakInputs > weight.weakCount) value += half(weight.weakCount + i);
                value *= facts.weakScale;
            } else {
                const uint32_t* const words = weight.words + (tile * units + unit) * stride;
                const Grid grid = kGroups ? gridAt(words + unitWords(kBits), weight.shape.wideGrids, r,
                                                   int(threadIdx.x) / (pairs * kPairColumns))
                                          : Grid{facts.scale, facts.zero};
                value = grid.scale * (float(codeAt<kBits>(words, r, int(threadIdx.x))) - grid.zero);
            }
            out[(row - firstRow) * weight.shape.columns + column] = value;
        }
    }
}

template <int kBits>
cudaError_t launchDense(const DeviceWeight& weight, int64_t firstRow, int64_t rows, float* out,
                        cudaStream_t stream) {
    const int64_t tiles = (firstRow + rows - 1) / kTileRows - firstRow / kTileRows + 1, most = 65535;
    for (int64_t first = 0; first < tiles; first += most) {
        const int64_t begin = first ? (firstRow / kTileRows + first) * kTileRows : firstRow;
        const int64_t end = std::min(firstRow + rows, (firstRow / kTileRows + first + most) * kTileRows);
        const dim3 grid(unsigned(weight.shape.units() + (weight.weakCount ? 1 : 0)),
                        unsigned(std::min(most, tiles - first)));
        const auto kernel = weight.shape.groupSize ? makeDense<kBits, true> : makeDense<kBits, false>;
        kernel<<<grid, kThreads, 0, stream>>>(weight, begin, end - begin,
                                              out + (begin - firstRow) * weight.shape.columns);
        const cudaError_t error = cudaGetLastError();
        if (error != cudaSuccess) return error;
    }
    return cudaSuccess;
}

}  // namespace

cudaError_t packWeight(const DeviceWeight& weight, const UnpackedWeight& from, uint32_t* words) {
    switch (weight.shape.bits) {
        case 2:
            return launchPack<2>(weight, from, words);
        case 3:
            return launchPack<3>(weight, from, words);
        case 4:
            return launchPack<4>(weight, from, words);
        default:
            return launchPack<8>(weight, from, words);
    }
}

cudaError_t dequantize(const DeviceWeight& weight, int64_t firstRow, int64_t rows, float* out,
                       cudaStream_t stream) {
    if (rows == 0) return cudaSuccess;
    switch (weight.shape.bits) {
        case 2:
            return launchDense<2>(weight, firstRow, rows, out, stream);
        case 3:
            return launchDense<3>(weight, firstRow, rows, out, stream);
        case 4:
            return launchDense<4>(weight, firstRow, rows, out, stream);
        default:
            return launchDense<8>(weight, firstRow, rows, out, stream);
    }
}

}  // namespace owq::kernels::cuda
