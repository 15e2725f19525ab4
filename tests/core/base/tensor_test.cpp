// SPDX-License-Identifier: Apache-2.0
#include "core/base/tensor.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace owq {
namespace {

TEST(Tensor, ReadsMisalignedData) {
    std::vector<uint8_t> bytes(9, 0);
    const float value = 2.5f;
    std::memcpy(bytes.data() + 1, &value, 4);
    Tensor t = Tensor::u8({9}, bytes);
    t.dtype = DType::f32;
    t.shape = {2};
    t.data += 1;
    EXPECT_EQ(t.toFloat(), (std::vector<float>{2.5f, 0.f}));
}

TEST(Tensor, RoundsToStoredTypes) {
    const std::vector<float> values{1.f, 1.0004883f, -2.f};
    EXPECT_EQ(Tensor::rounded(DType::f16, {3}, values).toFloat(), (std::vector<float>{1.f, 1.f, -2.f}));
    EXPECT_EQ(Tensor::rounded(DType::f32, {3}, values).toFloat(), values);
    EXPECT_THROW(Tensor::rounded(DType::u8, {3}, values), Error);
}

TEST(Tensor, DTypeNamesRoundTrip) {
    for (int i = 0; i <= int(DType::f64); ++i) EXPECT_EQ(dtypeFromName(name(DType(i))), DType(i));
    EXPECT_THROW(dtypeFromName("F17"), Error);
    EXPECT_THROW(Tensor::f32({1}, {1.f}).toInteger(), Error);
}

}  // namespace
}  // namespace owq
