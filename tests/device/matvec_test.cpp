// SPDX-License-Identifier: Apache-2.0
// The GPU's packed product against exact sums, the host's emulation of its blocks and its own dequantized
// weights. Skipped, never passed, without a GPU.
#include <cmath>
#include <tuple>

#include "core/base/half.h"
#include "kernels/matvec.h"
#include "tests/device/device_test.h"
#include "tests/kernels/cuda_block.h"
#include "tests/kernels/cuda_matvec_case.h"

namespace owq::kernels {
namespace {

class DeviceMatvec : public DeviceTest {
protected:
    struct Matrix {
        const OwqCudaApi* api;
        OwqCudaMatrix* matrix = nullptr;
        Matrix(const OwqCudaApi* api_, const MatvecCase& m) : api(api_) {
            const OwqCudaWeight weight = cudaWeight(m);
            EXPECT_EQ(api->createMatrix(&weight, &matrix), 0) << api->lastError();
        }
        ~Matrix() { api->destroyMatrix(matrix); }
    };

    std::vector<float> multiply(const Matrix& matrix, const MatvecCase& m, int halves,
                                int32_t type = OWQ_CUDA_F32) {
        std::vector<uint16_t> half;
        if (type == OWQ_CUDA_F16)
            for (const float x : m.x) half.push_back(floatToHalf(x));
        const DeviceArray<float> x = onDevice(m.x);
        const DeviceArray<uint16_t> halfX = onDevice(half);
        DeviceArray<float> y = onDevice(std::vector<float>(size_t(m.batch * m.rows), -1e30f));
        size_t bytes = 0;
        run(api->workspaceBytes(matrix.matrix, m.batch, halves, &bytes));
        DeviceArray<uint8_t> workspace = room<uint8_t>(int64_t(bytes));
        const OwqCudaVectors vectors{type == OWQ_CUDA_F32 ? static_cast<const void*>(x.data()) : halfX.data(),
                                     type,
                                     halves,
                                     m.batch,
                                     y.data(),
                                     workspace.data(),
                                     bytes};
        run(api->multiply(matrix.matrix, &vectors, nullptr));
        return y.download();
    }
    std::vector<float> multiply(const MatvecCase& m, int halves, int32_t type = OWQ_CUDA_F32) {
        return multiply(Matrix(api, m), m, halves, type);
    }
};

TEST_F(DeviceMatvec, IsWithinItsBoundForAnyShape) {
    unsigned seed = 1;
    for (int bits : {2, 3, 4, 8})
        for (auto [rows, columns, weak, batch, halves] : {std::tuple{40, 704, 2, 1, 2},
                                                          {1, 32, 0, 1, 1},
                                                          {256, 256, 6, 2, 2},
                                                          {33, 4224, 17, 3, 2},
                                                          {704, 1000, 64, 8, 1},
                                                          {7, 2341, 33, 9, 1},
                                                          {96, 2208, 4, 17, 2},
                                                          {64, 8320, 8, 8, 2},
                                                          {130, 512, 90, 16, 2},
                                                          {3, 40, 40, 2, 2},
                                                          {512, 11008, 6, 1, 1},
                                                          {48, 36864, 14, 33, 2},
                                                          {64, 300, 5, 64, 1}}) {
            const MatvecCase m(rows, columns, bits, weak, batch, seed++);
            expectWithinBound(m, multiply(m, halves), halves);
        }
}

TEST_F(DeviceMatvec, GroupsAreWithinTheirBoundForAnyShape) {
    unsigned seed = 100;
    for (int bits : {2, 3, 4, 8})
        for (auto [rows, columns, group, weak, batch, halves] : {std::tuple{40, 704, 32, 2, 1, 2},
                                                                 {1, 65, 64, 0, 1, 1},
                                                                 {33, 4224, 128, 17, 3, 2},
                                                                 {704, 1000, 64, 64, 8, 1},
                                                                 {7, 2341, 96, 33, 9, 1},
                                                                 {96, 2208, 32, 4, 17, 2},
                                                                 {64, 8320, 256, 8, 8, 2},
                                                                 {130, 512, 512, 0, 16, 2},
                                                                 {512, 11008, 128, 0, 1, 1},
                                                                 {48, 36864, 1024, 14, 33, 2},
                                                                 {1024, 8192, 128, 6, 4, 2},
                                                                 {64, 300, 32, 5, 64, 1}})
            for (bool wide : {false, true}) {
                MatvecCase m(rows, columns, bits, weak, batch, seed++, group);
                if (!wide) m = withHalfScales(m);
                expectWithinBound(m, multiply(m, halves), halves);
            }
}

TEST_F(DeviceMatvec, WholeNumbersAreExact) {
    for (int bits : {2, 3, 4, 8})
        for (int group : {0, 32, 64, 96, 128, 256}) {
            const MatvecCase m = wholeNumbers({337, 1100, bits, 10, 4, unsigned(bits), group});
            for (int halves : {1, 2})
                for (int32_t type : {OWQ_CUDA_F32, OWQ_CUDA_F16}) {
                    const std::vector<float> y = multiply(m, halves, type);
                    double magnitude = 0;
                    for (int64_t t = 0; t < m.batch; ++t)
                        for (int64_t r = 0; r < m.rows; ++r)
                            ASSERT_EQ(double(y[size_t(t * m.rows + r)]), m.expected(t, r, &magnitude))
                                << bits << ", " << group << ", " << t << ", " << r;
                }
        }
}

TEST_F(DeviceMatvec, IsNearTheHostsEmulation) {
    for (int group : {0, 64, 128}) {
        const MatvecCase m(100, 3000, 3, 9, 4, 21, group);
        const std::vector<float> y = multiply(m, 2),
                                 host = emulated::multiply(cudaWeight(m), m.x.data(), m.batch, 2);
        for (int64_t i = 0; i < int64_t(y.size()); ++i)
            EXPECT_NEAR(y[size_t(i)], host[size_t(i)],
                        2 * cudaMatvecBound(m, i / m.rows, i % m.rows, 2).usual);
    }
}

TEST_F(DeviceMatvec, InputsOfAnySizeNeitherOverflowNorVanish) {
    for (float size : {1e-30f, 1e-6f, 3e5f, 1e30f}) {
        MatvecCase m(20, 500, 3, 4, 3, 5);
        for (float& x : m.x) x *= size;
        for (float& b : m.bias) b = 0;
        expectWithinBound(m, multiply(m, 2), 2);
    }
    MatvecCase m(18, 300, 4, 3, 4, 9);
    m.x[size_t(2 * m.columns + m.weakColumns[1])] = INFINITY;
    const std::vector<float> y = multiply(m, 2);
    for (int64_t i = 0; i < int64_t(y.size()); ++i) EXPECT_EQ(std::isfinite(y[size_t(i)]), i / m.rows != 2);
}

TEST_F(DeviceMatvec, EqualInputsGiveEqualBits) {
    for (auto [rows, columns, group] :
         {std::tuple{300, 4096, 0}, {1024, 8192, 0}, {300, 4096, 32}, {1024, 8192, 128}}) {
        const MatvecCase m(rows, columns, 3, 6, 8, 77, group);
        const Matrix matrix(api, m);
        const std::vector<float> first = multiply(matrix, m, 2);
        for (int i = 0; i < 20; ++i) ASSERT_EQ(multiply(matrix, m, 2), first);
    }
}

TEST_F(DeviceMatvec, DequantizedRowsAreTheWeightsToTheBit) {
    for (int bits : {2, 3, 4, 8})
        for (auto [weak, group] : {std::pair{0, 0}, {7, 0}, {0, 32}, {7, 96}, {5, 128}, {0, 512}}) {
            MatvecCase m(150, 1000, bits, weak, 1, unsigned(bits), group);
            if (weak == 5) m = withHalfScales(m);
            for (float& w : m.weakWeight) w = halfToFloat(floatToHalf(w));
            const Matrix matrix(api, m);
            for (auto [first, rows] : {std::pair{0, 150}, {17, 40}, {149, 1}}) {
                DeviceArray<float> out = room<float>(rows * m.columns);
                run(api->dequantize(matrix.matrix, first, rows, out.data(), nullptr));
                const std::vector<float> values = out.download();
                std::vector<float> expected(values.size());
                PackedMatrix(m.packed()).dequantizeRows(first, first + rows, expected.data());
                ASSERT_EQ(values, expected) << bits << ", " << weak << ", " << group << ", " << first;
            }
        }
}

TEST_F(DeviceMatvec, ImpossibleWorkIsRefused) {
    OwqCudaMatrix* none = nullptr;
    MatvecCase m(16, 64, 3, 2, 1, 1);
    OwqCudaWeight weight = cudaWeight(m);
    weight.bits = 5;
    EXPECT_NE(api->createMatrix(&weight, &none), 0);
    EXPECT_EQ(none, nullptr);
    EXPECT_STRNE(api->lastError(), "");
    const Matrix matrix(api, m);
    OwqCudaVectors vectors{};
    EXPECT_NE(api->multiply(matrix.matrix, &vectors, nullptr), 0);
    EXPECT_NE(api->dequantize(matrix.matrix, 10, 7, nullptr, nullptr), 0);
}

}  // namespace
}  // namespace owq::kernels
