// SPDX-License-Identifier: Apache-2.0
// The arithmetic of the GPU kernel, run thread by thread on the host with the same functions.
#include <gtest/gtest.h>

#include "core/base/half.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/loader.h"
#include "kernels/matvec.h"
#include "tests/kernels/matvec_case.h"

namespace owq::kernels {
namespace {

/// What kernels/cuda/matvec.cu does, its threads in turn.
template <int kBits, int kTokens>
std::vector<float> blockByBlock(const MatvecCase& m, const std::vector<uint16_t>& x) {
    using namespace cuda;
    constexpr int kWords = chunkWords(kBits), kColumns = segmentColumns(kTokens);
    const std::vector<uint32_t> words = gpuWords(m.words.data(), m.rows, m.columns, kBits);
    const int64_t chunks = chunkCount(m.columns), k = int64_t(m.weakColumns.size());
    std::vector<float> y(size_t(m.batch * m.rows));
    for (int64_t row = 0; row < m.rows; ++row) {
        const int64_t tile = row / kTileRows, lane = row % kTileRows;
        const ZeroPoints<kBits> zeros(m.zero[size_t(row)]);
        std::vector<Sums<kTokens>> sums(kWarps);
        std::vector<FourFloats> shared(size_t(kColumns * kTokens / 4));
        for (int64_t first = 0; first < m.columns; first += kColumns) {
            for (int i = 0; i < kColumns * kTokens; ++i) {
                const int64_t column = first + i / kTokens, token = i % kTokens;
                if (column >= chunks * kChunk) break;
                shared[size_t(i / 4)].value[i % 4] =
                    column < m.columns && token < m.batch
                        ? stagedInput(kBits, int(column % 32), x[size_t(token * m.columns + column)])
                        : 0.0f;
            }
            const int64_t begin = first / kChunk;
            for (int warp = 0; warp < kWarps; ++warp)
                for (int64_t chunk = begin + warp; chunk < begin + kColumns / kChunk && chunk < chunks;
                     chunk += kWarps) {
                    uint32_t now[kWords];
                    for (int i = 0; i < kWords; ++i)
                        now[i] =
                            words[size_t(((tile * chunks + chunk) * (kWords / 4) + i / 4) * kTileRows * 4 +
                                         lane * 4 + i % 4)];
                    addChunk<kBits, kTokens>(now, shared.data() + (chunk - begin) * (kChunk * kTokens / 4),
                                             zeros, sums[size_t(warp)]);
                }
        }
        for (int64_t t = 0; t < m.batch; ++t) {
            float sum = m.bias[size_t(row)];
            for (int warp = 0; warp < kWarps; ++warp) {
                float total = sums[size_t(warp)].of(int(t)) * m.scale[size_t(row)];
                for (int64_t j = warp; j < k; j += kWarps)
                    total =
                        multiplyAdd(m.weakWeight[size_t(row * k + j)],
                                    floatOfHalf(x[size_t(t * m.columns + m.weakColumns[size_t(j)])]), total);
                sum += total;
            }
            y[size_t(t * m.rows + row)] = sum;
        }
    }
    return y;
}

template <int kBits, int kTokens>
void compare(MatvecCase m) {
    std::vector<uint16_t> half;
    for (float& v : m.x) {
        half.push_back(floatToHalf(v));
        v = halfToFloat(half.back());
    }
    const std::vector<float> y = blockByBlock<kBits, kTokens>(m, half);
    const PackedMatrix cpu(m.packed());
    std::vector<float> expected(y.size());
    cpu.multiply(m.x.data(), m.batch, expected.data());
    for (int64_t t = 0; t < m.batch; ++t)
        for (int64_t r = 0; r < m.rows; ++r) {
            double magnitude = 0;
            const double exact = m.expected(t, r, &magnitude);
            EXPECT_NEAR(y[size_t(t * m.rows + r)], exact, 1e-6 * magnitude)
                << m.rows << " x " << m.columns << ", " << t << ", " << r;
            EXPECT_NEAR(y[size_t(t * m.rows + r)], expected[size_t(t * m.rows + r)], 3e-6 * magnitude);
        }
}

TEST(CudaMatvecThread, AgreesWithTheCpuKernel) {
    compare<3, 1>({40, 704, 3, 2, 1, 1});
    compare<4, 1>({40, 704, 4, 2, 1, 2});
    compare<3, 2>({33, 128, 3, 8, 2, 3});
    compare<4, 2>({1, 32, 4, 0, 2, 4});
    compare<3, 4>({7, 4224, 3, 17, 3, 5});  // more than one segment, a token that is padding
    compare<4, 4>({7, 4224, 4, 17, 4, 6});
    compare<3, 8>({34, 2208, 3, 4, 8, 7});
    compare<4, 8>({34, 2208, 4, 4, 5, 8});
    compare<3, 1>({2, 8320, 3, 0, 1, 9});
}

TEST(CudaMatvecThread, HugeWeakActivationsDoNotSpoilTheRest) {
    MatvecCase m(8, 256, 3, 1, 1, 5);
    m.x[size_t(m.weakColumns[0])] = 60000;
    for (float& w : m.weakWeight) w = 0;
    compare<3, 1>(m);
}

TEST(CudaMatvecThread, EveryCodeAtEveryPlaceIsReadExactly) {
    for (int zero = 0; zero < 8; ++zero) {
        const cuda::ZeroPoints<3> zeros{float(zero)};
        for (int code = 0; code < 8; ++code)
            for (int c = 0; c < 32; ++c) {
                std::vector<uint8_t> codes(32, uint8_t(7 - code));
                codes[size_t(c)] = uint8_t(code);
                int32_t packed[3];
                packCodes(codes.data(), 1, 32, 3, packed);
                const uint32_t words[3] = {uint32_t(packed[0]), uint32_t(packed[1]), uint32_t(packed[2])};
                float weights[32];
                cuda::decodeGroup<3>(words, zeros, weights);
                EXPECT_EQ(weights[c] * cuda::stagedInput(3, c, 0x3c00), float(code - zero)) << c;
            }
    }
}

TEST(CudaMatvecThread, HalvesAreReadAsTheyAre) {
    for (uint32_t h = 0; h < 0x10000; ++h) {
        const float ours = cuda::floatOfHalf(uint16_t(h)), theirs = halfToFloat(uint16_t(h));
        if (theirs == theirs)
            EXPECT_EQ(ours, theirs) << h;
        else
            EXPECT_NE(ours, ours) << h;
    }
}

TEST(CudaLayout, EveryWordHasItsPlace) {
    for (int bits : {3, 4}) {
        const MatvecCase m(45, 352, bits, 0, 1, 3);
        const std::vector<uint32_t> words = cuda::gpuWords(m.words.data(), m.rows, m.columns, bits);
        EXPECT_EQ(words.size(), size_t(2 * 3 * cuda::chunkWords(bits) * 32));
        for (int64_t w = 0; w < m.columns / 32 * bits; ++w)
            for (int64_t r = 0; r < m.rows; ++r)
                ASSERT_EQ(words[size_t(cuda::gpuWordIndex(r, w, m.columns, bits))],
                          uint32_t(m.words[size_t(w * m.rows + r)]));
    }
}

TEST(CudaLoader, GivesAGpuOrAReason) {
    const CudaKernels& kernels = cudaKernels();
    EXPECT_NE(kernels.api == nullptr, kernels.reason.empty());
    EXPECT_EQ(&kernels, &cudaKernels());
}

}  // namespace
}  // namespace owq::kernels
