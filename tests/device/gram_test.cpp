// SPDX-License-Identifier: Apache-2.0
// Σ x xᵀ on the GPU against sums in double.
#include <cmath>
#include <cstring>
#include <random>

#include "core/base/half.h"
#include "tests/device/device_test.h"

namespace owq::kernels {
namespace {

class DeviceGram : public DeviceTest {
protected:
    /// Inputs as `type` holds them; what they are as floats goes to `values`.
    DeviceArray<uint8_t> inputs(int64_t tokens, int64_t columns, int32_t type, uint32_t seed,
                                std::vector<float>& values) {
        std::mt19937 random(seed);
        std::normal_distribution<float> normal;
        values.resize(size_t(tokens * columns));
        std::vector<uint8_t> bytes(values.size() * (type == OWQ_CUDA_F32 ? 4 : 2));
        for (size_t i = 0; i < values.size(); ++i) {
            float v = normal(random) * (i % size_t(columns) == 3 ? 50.f : 1.f);  // an outlier channel
            const uint16_t half = type == OWQ_CUDA_F16 ? floatToHalf(v) : floatToBfloat16(v);
            if (type != OWQ_CUDA_F32) v = type == OWQ_CUDA_F16 ? halfToFloat(half) : bfloat16ToFloat(half);
            values[i] = v;
            if (type == OWQ_CUDA_F32)
                std::memcpy(&bytes[i * 4], &v, 4);
            else
                std::memcpy(&bytes[i * 2], &half, 2);
        }
        return onDevice(bytes);
    }

    std::vector<float> gram(const DeviceArray<uint8_t>& x, int32_t type, int64_t tokens, int64_t columns,
                            int times, float factor) {
        auto sum = room<float>(columns * columns);
        run(api->clear(sum.data(), sum.size() * 4, nullptr));
        const OwqCudaInputs in{x.data(), type, tokens, columns};
        for (int i = 0; i < times; ++i) run(api->addGram(&in, sum.data(), nullptr));
        run(api->finishGram(sum.data(), columns, factor, nullptr));
        return sum.download();
    }
};

TEST_F(DeviceGram, IsTheSumOfOuterProducts) {
    for (int32_t type : {OWQ_CUDA_F32, OWQ_CUDA_F16, OWQ_CUDA_BF16})
        for (auto [tokens, columns] :
             {std::pair{1, 8}, {33, 64}, {5, 136}, {100, 264}, {2100, 200}, {4097, 96}}) {
            std::vector<float> x;
            const auto device = inputs(tokens, columns, type, uint32_t(tokens), x);
            const std::vector<float> h = gram(device, type, tokens, columns, 2, 0.25f);
            for (int64_t i = 0; i < columns; ++i)
                for (int64_t j = 0; j <= i; ++j) {
                    double sum = 0, size = 0;
                    for (int64_t t = 0; t < tokens; ++t) {
                        const double product =
                            double(x[size_t(t * columns + i)]) * double(x[size_t(t * columns + j)]);
                        sum += product, size += std::abs(product);
                    }
                    // A chain of 2048 fp32 additions, on tensor cores without rounding to nearest.
                    ASSERT_NEAR(h[size_t(i * columns + j)], 0.5 * sum, 0.5 * 3e-5 * size)
                        << "type " << type << ", " << tokens << " x " << columns << ", " << i << ", " << j;
                    ASSERT_EQ(h[size_t(j * columns + i)], h[size_t(i * columns + j)]);
                }
        }
}

TEST_F(DeviceGram, AnyNumberOfColumnsInFloat) {
    std::vector<float> x;
    const auto device = inputs(3, 129, OWQ_CUDA_F32, 1, x);
    const std::vector<float> h = gram(device, OWQ_CUDA_F32, 3, 129, 1, 1);
    for (size_t i = 0; i < 129; ++i)
        for (size_t j = 0; j < 129; ++j) {
            double sum = 0;
            for (size_t t = 0; t < 3; ++t) sum += double(x[t * 129 + i]) * double(x[t * 129 + j]);
            ASSERT_NEAR(h[i * 129 + j], sum, 1e-6 * (1 + std::abs(sum)) * 50) << i << ", " << j;
        }
    const OwqCudaInputs odd{device.data(), OWQ_CUDA_F16, 3, 129};
    auto sum = room<float>(129 * 129);
    EXPECT_NE(api->addGram(&odd, sum.data(), nullptr), 0);
}

TEST_F(DeviceGram, EqualInputsGiveEqualBits) {
    for (int32_t type : {OWQ_CUDA_F32, OWQ_CUDA_F16}) {
        std::vector<float> x;
        const auto device = inputs(3000, 256, type, 9, x);
        const std::vector<float> first = gram(device, type, 3000, 256, 1, 1);
        for (int i = 0; i < 3; ++i) EXPECT_EQ(gram(device, type, 3000, 256, 1, 1), first);
    }
}

}  // namespace
}  // namespace owq::kernels
