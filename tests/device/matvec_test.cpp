// SPDX-License-Identifier: Apache-2.0
// The GPU kernels against the CPU kernel, on the same cases. Skipped, never passed, without a GPU.
#include <gtest/gtest.h>

#include "core/base/half.h"
#include "kernels/cuda/loader.h"
#include "kernels/matvec.h"
#include "tests/kernels/matvec_case.h"

namespace owq::kernels {
namespace {

class DeviceMatvec : public testing::Test {
protected:
    void SetUp() override {
        if (!cudaKernels().api) GTEST_SKIP() << cudaKernels().reason;
        api = cudaKernels().api;
    }
    void check(int32_t result) { ASSERT_EQ(result, 0) << api->lastError(); }

    /// Rounds the inputs to half, as both sides see them.
    std::vector<float> onDevice(MatvecCase& m) {
        std::vector<uint16_t> half;
        for (float& v : m.x) {
            half.push_back(floatToHalf(v));
            v = halfToFloat(half.back());
        }
        const OwqCudaWeight weight{m.words.data(),
                                   m.rows,
                                   m.columns,
                                   m.bits,
                                   m.scale.data(),
                                   m.zero.data(),
                                   m.weakColumns.data(),
                                   m.weakWeight.data(),
                                   int64_t(m.weakColumns.size()),
                                   m.bias.data()};
        std::vector<float> y(size_t(m.batch * m.rows), -1e30f);
        OwqCudaMatrix* matrix = nullptr;
        void *in = nullptr, *out = nullptr;
        check(api->createMatrix(&weight, &matrix));
        check(api->allocate(half.size() * 2, &in));
        check(api->allocate(y.size() * 4, &out));
        check(api->upload(in, half.data(), half.size() * 2));
        check(api->multiply(matrix, static_cast<const uint16_t*>(in), m.batch, static_cast<float*>(out),
                            nullptr));
        check(api->synchronize(nullptr));
        check(api->download(y.data(), out, y.size() * 4));
        api->release(in);
        api->release(out);
        api->destroyMatrix(matrix);
        return y;
    }

    const OwqCudaApi* api = nullptr;
};

TEST_F(DeviceMatvec, AgreesWithTheCpuKernel) {
    unsigned seed = 1;
    for (int bits : {3, 4})
        for (auto [rows, columns, weak, batch] : {std::tuple{1, 32, 0, 1},
                                                  {40, 704, 2, 1},
                                                  {256, 256, 6, 2},
                                                  {33, 4224, 17, 3},
                                                  {704, 256, 2, 4},
                                                  {96, 2208, 4, 5},
                                                  {64, 8320, 8, 8},
                                                  {130, 512, 3, 17},
                                                  {512, 11008, 6, 1}}) {
            MatvecCase m(rows, columns, bits, weak, batch, seed++);
            const std::vector<float> y = onDevice(m);
            const PackedMatrix cpu(m.packed());
            std::vector<float> expected(y.size());
            cpu.multiply(m.x.data(), m.batch, expected.data());
            for (int64_t t = 0; t < m.batch; ++t)
                for (int64_t r = 0; r < m.rows; ++r) {
                    double magnitude = 0;
                    m.expected(t, r, &magnitude);
                    ASSERT_NEAR(y[size_t(t * m.rows + r)], expected[size_t(t * m.rows + r)], 3e-6 * magnitude)
                        << bits << " bits, " << rows << " x " << columns << ", token " << t << ", row " << r;
                }
        }
}

TEST_F(DeviceMatvec, EqualInputsGiveEqualBits) {
    MatvecCase m(300, 4096, 3, 6, 8, 77);
    const std::vector<float> first = onDevice(m);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(onDevice(m), first);
}

TEST_F(DeviceMatvec, ImpossibleWeightsAreRefused) {
    OwqCudaMatrix* matrix = nullptr;
    OwqCudaWeight weight{};
    weight.bits = 2;
    EXPECT_NE(api->createMatrix(&weight, &matrix), 0);
    EXPECT_EQ(matrix, nullptr);
    EXPECT_STRNE(api->lastError(), "");
}

}  // namespace
}  // namespace owq::kernels
