// SPDX-License-Identifier: Apache-2.0
#include "kernels/matvec.h"

#include <gtest/gtest.h>

#include "kernels/cpu/features.h"
#include "kernels/thread_pool.h"
#include "tests/kernels/each_instruction_set.h"
#include "tests/kernels/matvec_case.h"

namespace owq::kernels {
namespace {

PackedMatrix matrixOf(const MatvecCase& m, bool bias = true) {
    return PackedMatrix(m.words.data(), m.rows, m.columns, m.bits, m.scale.data(), m.zero.data(),
                        m.weakColumns.data(), m.weakWeight.data(), int64_t(m.weakColumns.size()),
                        bias ? m.bias.data() : nullptr);
}

using Matvec = EachInstructionSet;

TEST_P(Matvec, AgreesWithTheProductInDouble) {
    unsigned seed = 1;
    for (int bits : {3, 4})
        for (auto [rows, columns, weak, batch] : {std::tuple{1, 32, 0, 1},
                                                  {2, 64, 1, 2},
                                                  {7, 96, 2, 3},
                                                  {8, 128, 3, 4},
                                                  {9, 160, 4, 5},
                                                  {40, 352, 5, 6},
                                                  {33, 1024, 6, 7},
                                                  {16, 704, 7, 8},
                                                  {24, 256, 8, 9},
                                                  {257, 288, 2, 1},
                                                  {30, 512, 6, 16},
                                                  {12, 4096, 8, 17}}) {
            const MatvecCase m(rows, columns, bits, weak, batch, seed++);
            const PackedMatrix matrix = matrixOf(m);
            std::vector<float> y(size_t(m.batch * m.rows), -1e30f);
            matrix.multiply(m.x.data(), m.batch, y.data());
            for (int64_t t = 0; t < m.batch; ++t)
                for (int64_t r = 0; r < m.rows; ++r) {
                    double magnitude = 0;
                    const double expected = m.expected(t, r, &magnitude);
                    EXPECT_NEAR(y[size_t(t * m.rows + r)], expected, 2e-6 * magnitude)
                        << bits << " bits, " << rows << " x " << columns << ", token " << t << ", row " << r;
                }
        }
}

TEST_P(Matvec, ATokenDoesNotDependOnItsNeighboursNorOnTheThreads) {
    const MatvecCase m(100, 1024, 3, 4, 4, 99);
    const PackedMatrix matrix = matrixOf(m);
    std::vector<float> together(400), other(400);
    const int before = threads();
    setThreads(1);
    matrix.multiply(m.x.data(), 4, together.data());
    setThreads(3);
    matrix.multiply(m.x.data(), 4, other.data());
    EXPECT_EQ(together, other);
    std::vector<float> changed = m.x;
    for (int c = 0; c < 1024; ++c) changed[size_t(c)] = 7;
    matrix.multiply(changed.data(), 4, other.data());
    for (size_t i = 100; i < 400; ++i) EXPECT_EQ(together[i], other[i]);
    setThreads(before);
}

TEST_P(Matvec, HugeWeakActivationsDoNotSpoilTheRest) {
    MatvecCase m(16, 256, 3, 1, 1, 5);
    m.x[size_t(m.weakColumns[0])] = 1e8f;
    for (float& w : m.weakWeight) w = 0;
    std::vector<float> y(16);
    matrixOf(m).multiply(m.x.data(), 1, y.data());
    for (int64_t r = 0; r < 16; ++r) {
        double magnitude = 0;
        const double expected = m.expected(0, r, &magnitude);
        EXPECT_NEAR(y[size_t(r)], expected, 2e-6 * magnitude);
    }
}

INSTANTIATE_TEST_SUITE_P(Sets, Matvec, testing::Values(InstructionSet::scalar, InstructionSet::avx2));

TEST(PackedMatrix, RowsDequantizeToTheWeights) {
    for (int bits : {3, 4}) {
        const MatvecCase m(21, 160, bits, 3, 1, 11);
        const PackedMatrix matrix = matrixOf(m);
        std::vector<float> rows(size_t(12 * m.columns));
        matrix.dequantizeRows(5, 17, rows.data());
        for (int64_t r = 5; r < 17; ++r)
            for (int64_t c = 0; c < m.columns; ++c)
                EXPECT_EQ(rows[size_t((r - 5) * m.columns + c)], float(m.weight(r, c))) << r << ", " << c;
    }
}

TEST(PackedMatrix, TheFilesOrderComesBack) {
    for (int bits : {3, 4})
        for (int64_t rows : {1, 8, 21}) {
            const MatvecCase m(rows, 96, bits, 2, 1, 3);
            std::vector<int32_t> words(m.words.size());
            matrixOf(m).fileWords(words.data());
            EXPECT_EQ(words, m.words);
        }
}

TEST(PackedMatrix, WithoutBiasAndWeakColumns) {
    MatvecCase m(10, 64, 4, 0, 1, 8);
    std::vector<float> with(10), without(10);
    matrixOf(m).multiply(m.x.data(), 1, with.data());
    const PackedMatrix plain = matrixOf(m, false);
    plain.multiply(m.x.data(), 1, without.data());
    EXPECT_FALSE(plain.hasBias());
    for (size_t r = 0; r < 10; ++r) EXPECT_NEAR(with[r] - without[r], m.bias[r], 1e-5);
}

}  // namespace
}  // namespace owq::kernels
