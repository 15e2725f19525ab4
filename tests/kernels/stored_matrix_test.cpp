// SPDX-License-Identifier: Apache-2.0
#include "kernels/stored_matrix.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "tests/kernels/each_instruction_set.h"
#include "tests/kernels/stored_case.h"

namespace owq::kernels {
namespace {

using StoredMatrixOn = EachInstructionSet;

TEST_P(StoredMatrixOn, AgreesWithTheProductInDouble) {
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    unsigned seed = 1;
    for (const StoredType type : kTypes)
        for (const int64_t rows : {1, 2, 3, 4, 5, 18, 67})
            for (const int64_t columns : {1, 15, 16, 64, 333, 1024})
                for (const int64_t batch : {1, 2, 5, 17}) {
                    Stored w(type, rows, columns, seed++);
                    std::vector<float> x(size_t(batch * columns)), y(size_t(batch * rows), NAN);
                    for (float& v : x) v = normal(random);
                    const StoredMatrix matrix(w.data(), type, rows, columns);
                    matrix.multiply(x.data(), batch, y.data());
                    for (int64_t t = 0; t < batch; t++)
                        for (int64_t r = 0; r < rows; r++) {
                            double sum = 0, magnitude = 0;
                            for (int64_t c = 0; c < columns; c++) {
                                const double product = double(w.values[size_t(r * columns + c)]) * x[size_t(t * columns + c)];
                                sum += product;
                                magnitude += std::abs(product);
                            }
                            ASSERT_NEAR(y[size_t(t * rows + r)], sum, 1e-6 * magnitude + 1e-30)
                                << rows << " x " << columns << ", token " << t << " of " << batch << ", row " << r << ", type " << int(type);
                        }
                }
}

TEST_P(StoredMatrixOn, WidensExactly) {
    for (const StoredType type : kTypes)
        for (const int64_t columns : {1, 31, 48, 100}) {
            Stored w(type, 9, columns, 3);
            std::vector<float> out(size_t(5 * columns));
            StoredMatrix(w.data(), type, 9, columns).widenRows(2, 7, out.data());
            EXPECT_EQ(out, std::vector<float>(w.values.begin() + 2 * columns, w.values.begin() + 7 * columns)) << int(type) << ", " << columns;
        }
}

TEST_P(StoredMatrixOn, ATokensResultIsItsOwn) {
    const int64_t rows = 1030, columns = 700, batch = 7;
    for (const StoredType type : kTypes) {
        Stored w(type, rows, columns, 9);
        std::vector<float> x(size_t(batch * columns)), one(static_cast<size_t>(rows)), all(size_t(batch * rows)), threaded(all.size());
        for (size_t i = 0; i < x.size(); i++) x[i] = std::sin(float(i));
        setThreads(1);
        const StoredMatrix matrix(w.data(), type, rows, columns);
        matrix.multiply(x.data(), batch, all.data());
        setThreads(3);
        matrix.multiply(x.data(), batch, threaded.data());
        EXPECT_EQ(all, threaded);
        for (int64_t t = 0; t < batch; t++) {
            matrix.multiply(x.data() + t * columns, 1, one.data());
            EXPECT_EQ(one, std::vector<float>(all.begin() + t * rows, all.begin() + (t + 1) * rows)) << t;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Sets, StoredMatrixOn,
                         testing::Values(InstructionSet::scalar, InstructionSet::avx2, InstructionSet::avx512));

}  // namespace
}  // namespace owq::kernels
