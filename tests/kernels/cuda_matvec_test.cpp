// SPDX-License-Identifier: Apache-2.0
// The arithmetic of the GPU's packed product, run lane by lane on the host with the same functions.
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <tuple>

#include "core/base/half.h"
#include "kernels/cuda/loader.h"
#include "kernels/matvec.h"
#include "tests/kernels/cuda_block.h"
#include "tests/kernels/cuda_matvec_case.h"

namespace owq::kernels {
namespace {

namespace gpu = cuda;

/// Small: more parts of the columns, and more tiles a block.
constexpr gpu::GpuLimits kSmallGpu{2, 90000, 92048, false};

TEST(CudaMatvec, IsWithinItsBoundForAnyShape) {
    unsigned seed = 1;
    int split = 0;
    for (int bits : {2, 3, 4, 8})
        for (auto [rows, columns, weak, batch, halves] : {std::tuple{40, 704, 2, 1, 2},
                                                          {1, 32, 0, 1, 1},
                                                          {17, 256, 9, 3, 2},
                                                          {33, 1000, 64, 8, 1},
                                                          {7, 2341, 17, 9, 1},
                                                          {16, 512, 1, 17, 1},
                                                          {5, 300, 33, 5, 2},
                                                          {3, 40, 40, 2, 2}}) {
            const MatvecCase m(rows, columns, bits, weak, batch, seed++);
            expectWithinBound(m, emulated::multiply(cudaWeight(m), m.x.data(), batch, halves), halves);
            expectWithinBound(m, emulated::multiply(cudaWeight(m), m.x.data(), batch, halves, kSmallGpu),
                              halves);
            split +=
                gpu::planMatvec(gpu::hostParts(cudaWeight(m)).shape, std::min(8, batch * halves), kSmallGpu)
                    .parts > 1;
        }
    EXPECT_GT(split, 0) << "no case has its columns in parts";
}

TEST(CudaMatvec, TakesEveryWeakCountAndBatch) {
    for (int weak = 0; weak <= 64; weak += 7)
        for (int batch = 1; batch <= 16; batch += 5) {
            const MatvecCase m(19, 300, weak % 2 ? 3 : 4, weak, batch, unsigned(100 * weak + batch));
            expectWithinBound(m, emulated::multiply(cudaWeight(m), m.x.data(), batch, 2, kSmallGpu), 2);
        }
}

TEST(CudaMatvec, WholeNumbersAreExact) {
    for (int bits : {2, 3, 4, 8}) {
        const MatvecCase m = wholeNumbers({37, 1100, bits, 10, 4, unsigned(bits)});
        for (int halves : {1, 2}) {
            expectExact(m, emulated::multiply(cudaWeight(m), m.x.data(), m.batch, halves, kSmallGpu), std::to_string(bits));
            if (HasFatalFailure()) return;
        }
    }
}

TEST(CudaMatvec, InputsOfAnySizeNeitherOverflowNorVanish) {
    for (float size : {1e-30f, 1e-6f, 1.0f, 3e5f, 1e30f}) {
        MatvecCase m(20, 500, 3, 4, 3, 5);
        for (float& x : m.x) x *= size;
        for (float& b : m.bias) b = 0;
        expectWithinBound(m, emulated::multiply(cudaWeight(m), m.x.data(), m.batch, 2), 2);
    }
    MatvecCase m(20, 500, 4, 4, 2, 6);  // weak inputs are apart: they cost the others no bits
    for (const int32_t c : m.weakColumns)
        for (int64_t t = 0; t < m.batch; ++t) m.x[size_t(t * m.columns + c)] = 3e7f;
    for (float& w : m.weakWeight) w = 0;
    expectWithinBound(m, emulated::multiply(cudaWeight(m), m.x.data(), m.batch, 2), 2);
}

TEST(CudaMatvec, ATokenThatIsNotFiniteSpoilsOnlyItself) {
    for (float bad : {INFINITY, -INFINITY, NAN})
        for (bool weak : {false, true}) {
            MatvecCase m(18, 300, 3, 3, 4, 9);
            int64_t column = weak ? m.weakColumns[1] : 0;
            while (!weak && std::count(m.weakColumns.begin(), m.weakColumns.end(), int32_t(column))) ++column;
            const std::vector<float> before =
                emulated::multiply(cudaWeight(m), m.x.data(), m.batch, 2, kSmallGpu);
            m.x[size_t(2 * m.columns + column)] = bad;
            const std::vector<float> y = emulated::multiply(cudaWeight(m), m.x.data(), m.batch, 2, kSmallGpu);
            for (int64_t i = 0; i < int64_t(y.size()); ++i) {
                if (i / m.rows == 2)
                    EXPECT_FALSE(std::isfinite(y[size_t(i)])) << bad << ", " << weak;
                else
                    EXPECT_EQ(y[size_t(i)], before[size_t(i)]);
            }
        }
}

TEST(CudaMatvec, WhichBlockATileFallsToChangesNoBit) {
    const MatvecCase m(200, 1500, 3, 20, 2, 3);
    const std::vector<float> y =
        emulated::multiply(cudaWeight(m), m.x.data(), m.batch, 2, {13, 232448, 233472, false});
    for (int processors : {1, 3, 7}) {
        gpu::GpuLimits other{processors, 232448, 233472, false};
        ASSERT_EQ(gpu::planMatvec(gpu::hostParts(cudaWeight(m)).shape, 4, other).parts, 1);
        EXPECT_EQ(emulated::multiply(cudaWeight(m), m.x.data(), m.batch, 2, other), y);
    }
}

TEST(CudaMatvec, WeakWeightsOf16BitsNeedOneHalfAndOthersTwo) {
    MatvecCase m(20, 300, 3, 5, 1, 2);
    EXPECT_EQ(gpu::hostParts(cudaWeight(m)).shape.weakInputs, 10);
    for (float& w : m.weakWeight) w = halfToFloat(floatToHalf(w));
    EXPECT_EQ(gpu::hostParts(cudaWeight(m)).shape.weakInputs, 5);
    for (float& w : m.weakWeight) w = 0x1p60f * bfloat16ToFloat(floatToBfloat16(w));
    EXPECT_EQ(gpu::hostParts(cudaWeight(m)).shape.weakInputs, 5);
}

template <int kBits>
void expectEveryCodeInItsPlace() {
    const MatvecCase m(45, 600, kBits, 7, 1, 3);
    const OwqCudaWeight w = cudaWeight(m);
    const gpu::MatvecShape shape = gpu::hostParts(w).shape;
    const std::vector<uint32_t> words = emulated::packed<kBits>(w, shape);
    EXPECT_EQ(words.size(), size_t(3 * 3 * kBits * 128));
    for (int64_t r = 0; r < shape.tiles() * 16; ++r)
        for (int64_t i = 0; i < shape.units() * 256; ++i) {
            const uint32_t code =
                gpu::codeAt<kBits>(&words[size_t((r / 16 * shape.units() + i / 256) * gpu::unitWords(kBits))],
                                   int(r % 16), int(i % 256));
            const bool there = r < m.rows && i < shape.kept;
            ASSERT_EQ(
                code,
                there ? m.codes[size_t(r * m.columns + gpu::keptColumn(w.weakColumns, w.weakCount, i))] : 0u)
                << r << ", " << i;
        }
    // As the tensor core sees a unit: subnormal halves, each code once.
    std::set<std::pair<int, int>> seen;
    for (int step = 0; step < 16; ++step)
        for (int lane = 0; lane < 32; ++lane)
            for (int j = 0; j < 4; ++j) {
                uint32_t of[kBits * 4];
                for (int v = 0; v < kBits; ++v)
                    std::copy_n(&words[size_t((v * 32 + lane) * 4 + j)], 1, &of[v * 4]);
                const uint32_t both = gpu::operand<kBits>(of, step);
                for (int h = 0; h < 2; ++h) {
                    const int row = lane / 4 + j % 2 * 8, depth = lane % 4 * 2 + h + j / 2 * 8;  // PTX: a0…a3
                    const int column = gpu::columnOf(step, depth);
                    const uint32_t half = both >> (16 * h) & 0xffff;
                    EXPECT_LT(half, 0x400u) << "not a subnormal half";
                    EXPECT_EQ(
                        std::ldexp(gpu::floatOfHalf(uint16_t(half)), 24 - kBits * gpu::stepSet<kBits>(step)),
                        float(gpu::codeAt<kBits>(words.data(), row, column)));
                    EXPECT_TRUE(seen.insert({row, column}).second);
                }
            }
    EXPECT_EQ(seen.size(), size_t(16 * 256));
}

TEST(CudaPackedOrder, EveryCodeHasItsPlaceAndIsRead) {
    expectEveryCodeInItsPlace<2>();
    expectEveryCodeInItsPlace<3>();
    expectEveryCodeInItsPlace<4>();
    expectEveryCodeInItsPlace<8>();
}

TEST(CudaPlan, FitsAndLeavesNothingOut) {
    const gpu::GpuLimits gpus[] = {{132, 231424, 231424, true},
                                   {108, 165888, 165888, false},
                                   {82, 100352, 100352, false},
                                   {128, 100352, 100352, false}};
    for (const gpu::GpuLimits& limits : gpus)
        for (int bits : {2, 3, 4, 8})
            for (auto [rows, columns] : {std::pair{36864, 9216},
                                         {9216, 36864},
                                         {22016, 4096},
                                         {4096, 11008},
                                         {4096, 4096},
                                         {1024, 8192},
                                         {64, 256},
                                         {1, 1}})
                for (auto [inputs, group] :
                     {std::pair{1, 0}, {2, 128}, {8, 0}, {8, 32}, {16, 32}, {17, 64}, {32, 0}, {32, 256}}) {
                    gpu::MatvecShape shape{
                        rows, columns, columns - std::min(14, columns / 2), bits, std::min(14, columns / 2),
                        group};
                    shape.wideGrids = group == 32 && bits < 8;
                    if (inputs > gpu::inputsAtOnce(shape, limits)) continue;
                    EXPECT_GE(gpu::inputsAtOnce(shape, limits), 8);
                    const gpu::MatvecPlan plan = gpu::planMatvec(shape, inputs, limits);
                    ASSERT_GT(plan.shared, 0);
                    EXPECT_LE(plan.shared, limits.blockShared);
                    EXPECT_GE(plan.tokenTiles * gpu::kTokenTile, inputs);
                    EXPECT_GE(plan.parts * plan.unitsOfPart, shape.units());
                    EXPECT_LT((plan.parts - 1) * plan.unitsOfPart, shape.units());
                    EXPECT_LE(plan.stretches, shape.tiles());
                    EXPECT_EQ(plan.shared,
                              gpu::matvecShared(bits, inputs, plan.unitsOfPart, shape.weakSteps(),
                                                shape.folds(), gpu::gridWords(shape.folds(), shape.wideGrids))
                                  .total);
                }
    EXPECT_EQ(gpu::planMatvec({36864, 9216, 9202, 3, 14}, 2, gpus[0]).parts, 1);
    EXPECT_GT(gpu::planMatvec({1024, 8192, 8180, 3, 12}, 2, gpus[0]).parts, 1)
        << "few tiles: the columns are split, too";
}

TEST(CudaMatvecThread, KeptColumnsPassOverWeakOnes) {
    const std::vector<int32_t> weak{0, 1, 5, 9};
    std::vector<int64_t> kept;
    for (int64_t i = 0; i < 6; ++i) kept.push_back(gpu::keptColumn(weak.data(), 4, i));
    EXPECT_EQ(kept, (std::vector<int64_t>{2, 3, 4, 6, 7, 8}));
    EXPECT_EQ(gpu::keptColumn(nullptr, 0, 7), 7);
}

TEST(CudaMatvecThread, HalvesAreReadAndMadeAsTheyAre) {
    for (uint32_t h = 0; h < 0x10000; ++h) {
        const float ours = gpu::floatOfHalf(uint16_t(h)), theirs = halfToFloat(uint16_t(h));
        if (theirs == theirs)
            EXPECT_EQ(ours, theirs) << h;
        else
            EXPECT_NE(ours, ours) << h;
        for (int d = -2; d <= 2; ++d) {  // halves, and the floats about them and about their middles
            for (uint32_t middle : {0u, 0x1000u}) {
                const float x = gpu::floatOfBits(gpu::bitsOfFloat(ours) + middle + uint32_t(d));
                if (std::isnan(x)) continue;
                EXPECT_EQ(gpu::halfOfFloat(x), floatToHalf(x)) << x;
            }
        }
    }
}

TEST(CudaMatvecThread, InputsAreScaledByPowersOfTwo) {
    for (float x : {1e-42f, 1e-38f, 3e-5f, 1.0f, 65504.0f, 7e9f, 3.4e38f}) {
        const gpu::InputScale scale = gpu::inputScale(gpu::magnitude(-x));
        EXPECT_EQ(scale.there * scale.back, 1.0f);
        EXPECT_LT(x * scale.there, 32768.0f);
        if (x < 1e-33f) continue;
        EXPECT_GE(x * scale.there, 16384.0f);
    }
    EXPECT_NE(gpu::inputScale(0x7f800000u).back, gpu::inputScale(0x7f800000u).back);
}

TEST(CudaLoader, GivesAGpuOrAReason) {
    const CudaKernels& kernels = cudaKernels();
    EXPECT_NE(kernels.api == nullptr, kernels.reason.empty());
    EXPECT_EQ(&kernels, &cudaKernels());
}

}  // namespace
}  // namespace owq::kernels
