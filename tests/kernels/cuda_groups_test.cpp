// SPDX-License-Identifier: Apache-2.0
// The GPU's packed product of weights in groups, run lane by lane on the host with the same functions.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <tuple>

#include "kernels/matvec.h"
#include "tests/kernels/cuda_block.h"
#include "tests/kernels/cuda_matvec_case.h"

namespace owq::kernels {
namespace {

namespace gpu = cuda;

/// Small: more parts of the columns, and more tiles a block; shared memory as an RTX 4090 has it.
constexpr gpu::GpuLimits kSmallGpu{2, 100352, 100352, false};

gpu::MatvecShape shapeOf(const MatvecCase& m) {
    return gpu::hostParts(cudaWeight(m)).shape;
}

TEST(CudaGroups, RingsKeepAboutAsMuchUnderWay) {
    const int alone[] = {6, 4, 3, 2};  // with one grid a row
    for (int i = 0; i < 4; ++i) EXPECT_EQ(gpu::ringUnits(std::array{2, 3, 4, 8}[size_t(i)], 0), alone[i]);
    EXPECT_EQ(gpu::ringUnits(4, 8), 3);
    EXPECT_EQ(gpu::ringUnits(2, 8), 4);
}

TEST(CudaGroups, FoldWhereverAGroupMayEnd) {
    for (auto [group, pairs] : {std::pair{0, 0},
                                {32, 1},
                                {64, 2},
                                {96, 1},
                                {128, 4},
                                {160, 1},
                                {192, 2},
                                {256, 8},
                                {384, 4},
                                {4096, 8}}) {
        gpu::MatvecShape shape{40, 4096, 4000, 3, 96, group};
        ASSERT_EQ(shape.foldPairs(), pairs) << group;
        if (!group) continue;
        for (int64_t unit = 0; unit < shape.units(); ++unit)
            for (int fold = 0; fold < shape.folds(); ++fold) {
                const int64_t first = unit * 256 + fold * pairs * 32, last = first + pairs * 32 - 1;
                EXPECT_EQ(first / group, last / group) << "no fold lies in two groups";
            }
    }
}

/// Where they do not, a weight is dequantized.
TEST(CudaGroups, FitButForWideGridsOf32ColumnsOf8Bits) {
    for (int bits : {2, 3, 4, 8})
        for (int group : {32, 64, 96, 128, 256})
            for (bool wide : {false, true})
                for (int weak : {0, 14, 100}) {
                    const gpu::MatvecShape shape{4096, 11008, 11008 - weak, bits, weak, group, wide};
                    const bool largest = bits == 8 && wide && shape.foldPairs() == 1 && weak == 100;
                    EXPECT_EQ(gpu::hasProduct(shape, kSmallGpu), !largest)
                        << bits << ", " << group << ", " << wide << ", " << weak;
                    EXPECT_TRUE(gpu::hasProduct(shape, {108, 165888, 165888, false}));
                }
}

TEST(CudaGroups, AreWithinTheirBoundForAnyShape) {
    std::mt19937 random(7);
    int split = 0, wide = 0, weakest = 0;
    const int groups[] = {32, 64, 96, 128, 192, 256, 320, 512, 1024};
    for (int round = 0; round < 72; ++round) {
        const auto below = [&](int n) { return int(random() % unsigned(n)); };
        const int bits = std::array{2, 3, 4, 8}[size_t(round % 4)], batch = 1 + below(17),
                  weak = round % 3 ? below(65) : 0;
        const int64_t rows = 1 + 2 * below(20), columns = 65 + below(round % 8 ? 700 : 2600),
                      group = groups[round % 9];
        const int halves = 1 + below(2);
        MatvecCase m(rows, columns, bits, weak, batch, unsigned(round), group);
        if (round % 2) m = withHalfScales(m);
        const gpu::MatvecShape shape = shapeOf(m);
        EXPECT_EQ(shape.wideGrids, round % 2 == 0);
        expectWithinBound(m, emulated::multiply(cudaWeight(m), m.x.data(), batch, halves), halves);
        if (!gpu::hasProduct(shape, kSmallGpu)) {
            EXPECT_TRUE(bits == 8 && shape.wideGrids && shape.foldPairs() == 1 && weak);
            continue;
        }
        expectWithinBound(m, emulated::multiply(cudaWeight(m), m.x.data(), batch, halves, kSmallGpu), halves);
        split += gpu::planMatvec(shape, std::min(8, batch * halves), kSmallGpu).parts > 1;
        wide += shape.wideGrids;
        weakest += weak == 0;
    }
    EXPECT_GT(split, 0) << "no case has its columns in parts";
    EXPECT_GT(wide, 0);
    EXPECT_GT(weakest, 0);
}

/// Neighbouring groups differ by factors of two, so a column that is scaled by another's grid shows.
TEST(CudaGroups, WholeNumbersAreExact) {
    for (int bits : {2, 3, 4, 8})
        for (auto [group, batch] : {std::pair{32, 4}, {64, 1}, {96, 2}, {128, 9}, {256, 4}, {768, 3}})
            for (int weak : {0, 13}) {
                const MatvecCase m = wholeNumbers({37, 1100, bits, weak, batch, unsigned(bits), group});
                for (int halves : {1, 2}) {
                    expectExact(m, emulated::multiply(cudaWeight(m), m.x.data(), m.batch, halves, kSmallGpu),
                                std::to_string(bits) + ", " + std::to_string(group) + ", " + std::to_string(weak));
                    if (HasFatalFailure()) return;
                }
            }
}

TEST(CudaGroups, HalfAndWideGridsGiveEqualBits) {
    MatvecCase m = withHalfScales({19, 600, 3, 5, 3, 4, 64});
    ASSERT_FALSE(shapeOf(m).wideGrids);
    const std::vector<float> y = emulated::multiply(cudaWeight(m), m.x.data(), m.batch, 2);
    m.scale.back() *= 1.0001f;  // of the last row: no half, which makes the grids of all rows wide
    ASSERT_TRUE(shapeOf(m).wideGrids);
    const std::vector<float> wide = emulated::multiply(cudaWeight(m), m.x.data(), m.batch, 2);
    for (int64_t i = 0; i < int64_t(y.size()); ++i)
        EXPECT_EQ(y[size_t(i)] == wide[size_t(i)], i % m.rows != m.rows - 1);
}

TEST(CudaGroups, GridsOfGptqFilesAreHalves) {
    EXPECT_TRUE(gpu::fitsHalves({0.0123291015625f, 256}));
    EXPECT_TRUE(gpu::fitsHalves({0x1p-24f, 0}));
    EXPECT_FALSE(gpu::fitsHalves({0.01f, 3}));
    EXPECT_FALSE(gpu::fitsHalves({1, 0.1f}));
    EXPECT_FALSE(gpu::fitsHalves({1e6f, 3}));
}

template <int kBits>
void expectEveryGridInItsPlace(int64_t group, bool wide) {
    MatvecCase m(21, 700, kBits, 9, 1, 3, group);
    if (!wide) m = withHalfScales(m);
    const OwqCudaWeight w = cudaWeight(m);
    const gpu::MatvecShape shape = gpu::hostParts(w).shape;
    ASSERT_EQ(shape.wideGrids, wide);
    const std::vector<uint32_t> words = emulated::packed<kBits>(w, shape);
    ASSERT_EQ(words.size(), size_t(2 * 3 * (kBits * 128 + shape.folds() * (wide ? 32 : 16))));
    for (int64_t r = 0; r < shape.tiles() * 16; ++r)
        for (int64_t i = 0; i < shape.units() * 256; ++i) {
            const uint32_t* const unit =
                &words[size_t((r / 16 * shape.units() + i / 256) * shape.unitStride())];
            const gpu::Grid grid = gpu::gridAt(unit + gpu::unitWords(kBits), wide, int(r % 16),
                                               int(i % 256) / (32 * shape.foldPairs()));
            if (r >= m.rows || i >= shape.kept) continue;
            const int column = gpu::keptColumn(w.weakColumns, int(w.weakCount), int(i));
            const size_t at = size_t(r * m.groups + m.grid[size_t(column)]);
            ASSERT_EQ(grid.scale, m.scale[at]) << r << ", " << i;
            ASSERT_EQ(grid.zero, m.zero[at]) << r << ", " << i;
            ASSERT_EQ(gpu::codeAt<kBits>(unit, int(r % 16), int(i % 256)),
                      m.codes[size_t(r * m.columns + column)]);
        }
}

TEST(CudaGroups, EveryGridHasItsPlaceBehindTheCodes) {
    for (int64_t group : {32, 64, 96, 128, 256, 1024})
        for (bool wide : {false, true}) {
            expectEveryGridInItsPlace<2>(group, wide);
            expectEveryGridInItsPlace<3>(group, wide);
            expectEveryGridInItsPlace<4>(group, wide);
            expectEveryGridInItsPlace<8>(group, wide);
        }
}

TEST(CudaGroups, ATokenThatIsNotFiniteSpoilsOnlyItself) {
    MatvecCase m(18, 400, 4, 3, 4, 9, 64);
    const std::vector<float> before = emulated::multiply(cudaWeight(m), m.x.data(), m.batch, 2, kSmallGpu);
    int64_t column = 0;
    while (std::count(m.weakColumns.begin(), m.weakColumns.end(), int32_t(column))) ++column;
    m.x[size_t(2 * m.columns + column)] = INFINITY;
    const std::vector<float> y = emulated::multiply(cudaWeight(m), m.x.data(), m.batch, 2, kSmallGpu);
    for (int64_t i = 0; i < int64_t(y.size()); ++i) {
        if (i / m.rows == 2)
            EXPECT_FALSE(std::isfinite(y[size_t(i)]));
        else
            EXPECT_EQ(y[size_t(i)], before[size_t(i)]);
    }
}

TEST(CudaGroups, InputsOfAnySizeNeitherOverflowNorVanish) {
    for (float size : {1e-30f, 1e-6f, 3e5f, 1e30f}) {
        MatvecCase m(20, 500, 3, 4, 3, 5, 128);
        for (float& x : m.x) x *= size;
        for (float& b : m.bias) b = 0;
        expectWithinBound(m, emulated::multiply(cudaWeight(m), m.x.data(), m.batch, 2), 2);
    }
}

/// The CPU's product is the oracle of both.
TEST(CudaGroups, GiveWhatTheCpuGives) {
    const MatvecCase m(48, 900, 4, 6, 5, 11, 128);
    std::vector<float> host(size_t(m.rows * m.batch));
    PackedMatrix(m.packed()).multiply(m.x.data(), m.batch, host.data());
    const std::vector<float> y = emulated::multiply(cudaWeight(m), m.x.data(), m.batch, 2);
    for (int64_t i = 0; i < int64_t(y.size()); ++i) {
        double magnitude = 0;
        m.expected(i / m.rows, i % m.rows, &magnitude);
        // kernels/matvec.h states 2e-6 of the CPU
        EXPECT_NEAR(y[size_t(i)], host[size_t(i)],
                    cudaMatvecBound(m, i / m.rows, i % m.rows, 2).usual + 2e-6 * magnitude);
    }
}

}  // namespace
}  // namespace owq::kernels
