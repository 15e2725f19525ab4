// SPDX-License-Identifier: Apache-2.0
#include "core/pack/gptq.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"

namespace owq {
namespace {

using testing::HasSubstr;

/// Bits of a stream, the first value first, lowest bit first, cut into words.
std::vector<int64_t> stream(const std::vector<int>& values, int bits) {
    std::vector<int64_t> words((values.size() * size_t(bits) + 31) / 32);
    for (size_t i = 0; i < values.size() * size_t(bits); ++i)
        if (values[i / size_t(bits)] >> (i % size_t(bits)) & 1) words[i / 32] |= int64_t(1) << (i % 32);
    for (int64_t& word : words) word = int32_t(uint32_t(word));
    return words;
}

QuantizedLinear some(int bits, int64_t rows, int64_t columns, int64_t groupSize, int leastZero) {
    QuantizedLinear q;
    q.rows = rows;
    q.columns = columns;
    q.bits = bits;
    q.groupSize = groupSize;
    const int count = 1 << bits;
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < columns; ++c) q.codes.push_back(uint8_t((5 * r + 3 * c + r * c / 7) % count));
    for (int64_t i = 0; i < rows * q.groups(); ++i) {
        q.zero.push_back(float(leastZero + (7 * i) % (count - leastZero)));
        q.scale.push_back(float(1 + i) / 64);
    }
    return q;
}

LinearShape shapeOf(const QuantizedLinear& q) { return {"a", q.rows, q.columns, q.bits, 0, q.groupSize, q.symmetric}; }

// AutoGPTQ's pack() for 4 bits, in_features 8: word = Σ code_i << 4 i; zeros less one, eight outputs a word.
TEST(Gptq, FourBitsAsWordsWrittenByHand) {
    QuantizedLinear q = some(4, 32, 32, 0, 1);
    for (int c = 0; c < 8; ++c) q.codes[size_t(c)] = uint8_t(c + 1);
    const std::vector<float> zeros{8, 1, 15, 2, 3, 4, 5, 6};
    std::copy(zeros.begin(), zeros.end(), q.zero.begin());
    const GptqLinear packed = packGptq(q, GptqVersion::v1);
    EXPECT_EQ(packed.qweight.shape, (std::vector<int64_t>{4, 32}));
    EXPECT_EQ(uint32_t(packed.qweight.toInteger()[0]), 0x87654321u);
    EXPECT_EQ(packed.qzeros.shape, (std::vector<int64_t>{1, 4}));
    EXPECT_EQ(uint32_t(packed.qzeros.toInteger()[0]), 0x54321e07u);
    EXPECT_EQ(uint32_t(packGptq(q, GptqVersion::v2).qzeros.toInteger()[0]), 0x65432f18u);
    EXPECT_EQ(packed.scales.dtype, DType::f16);
    EXPECT_EQ(packed.scales.shape, (std::vector<int64_t>{1, 32}));
    EXPECT_EQ(packed.groupOf.toInteger(), std::vector<int64_t>(32, 0));
}

class GptqForms : public testing::TestWithParam<std::tuple<int, int64_t, GptqVersion>> {};

TEST_P(GptqForms, AreStreamsOfBitsAndComeBack) {
    const auto [bits, groupSize, version] = GetParam();
    const int64_t rows = 64, columns = 96;
    const QuantizedLinear q = some(bits, rows, columns, groupSize, version == GptqVersion::v1 ? 1 : 0);
    EXPECT_EQ(fitsGptqV1(q), version == GptqVersion::v1);
    const GptqLinear packed = packGptq(q, version);
    const std::vector<TensorPlan> plan = gptqPlan(shapeOf(q));
    EXPECT_EQ(packed.qweight.shape, plan[0].shape);
    EXPECT_EQ(packed.qzeros.shape, plan[1].shape);
    EXPECT_EQ(packed.scales.shape, plan[2].shape);
    EXPECT_EQ(packed.groupOf.shape, plan[3].shape);
    const std::vector<int64_t> words = packed.qweight.toInteger(), zeros = packed.qzeros.toInteger(), groupOf = packed.groupOf.toInteger();
    const std::vector<float> scales = packed.scales.toFloat();
    for (int64_t r = 0; r < rows; ++r) {
        const std::vector<int64_t> expected = stream({q.codes.begin() + r * columns, q.codes.begin() + (r + 1) * columns}, bits);
        for (size_t w = 0; w < expected.size(); ++w) ASSERT_EQ(words[w * size_t(rows) + size_t(r)], expected[w]) << r << ", " << w;
    }
    for (int64_t g = 0; g < q.groups(); ++g) {
        std::vector<int> values;
        for (int64_t r = 0; r < rows; ++r) {
            values.push_back(int(q.zero[size_t(r * q.groups() + g)]) - (version == GptqVersion::v1));
            EXPECT_EQ(scales[size_t(g * rows + r)], q.scale[size_t(r * q.groups() + g)]);
        }
        const std::vector<int64_t> expected = stream(values, bits);
        for (size_t w = 0; w < expected.size(); ++w) ASSERT_EQ(zeros[size_t(g) * expected.size() + w], expected[w]) << g << ", " << w;
    }
    for (int64_t c = 0; c < columns; ++c) EXPECT_EQ(groupOf[size_t(c)], groupSize ? c / groupSize : 0);

    const QuantizedLinear back = unpackGptq(packed, shapeOf(q), version, "a");
    EXPECT_EQ(back.codes, q.codes);
    EXPECT_EQ(back.zero, q.zero);
    EXPECT_EQ(back.scale, q.scale);
}

INSTANTIATE_TEST_SUITE_P(All, GptqForms,
                         testing::Combine(testing::Values(2, 3, 4, 8), testing::Values<int64_t>(0, 32, 48),
                                          testing::Values(GptqVersion::v1, GptqVersion::v2)));

TEST(Gptq, RefusesWhatItCannotHold) {
    const auto refusal = [](const LinearShape& shape) {
        try {
            checkGptq(shape);
        } catch (const Error& e) {
            return std::string(e.what());
        }
        return std::string("accepted");
    };
    EXPECT_EQ(refusal({"a", 32, 64, 4, 0, 32}), "accepted");
    EXPECT_THAT(refusal({"a", 32, 64, 4, 2}), HasSubstr("2 weak columns"));
    EXPECT_THAT(refusal({"a", 48, 64, 4}), HasSubstr("48 x 64"));
    EXPECT_THAT(refusal({"a", 32, 40, 4}), HasSubstr("multiples of 32"));
    EXPECT_THAT(refusal({"a", 32, 64, 5}), HasSubstr("5 bits"));
    EXPECT_THAT(refusal({"a", 32, 96, 4, 0, 64}), HasSubstr("groups of 64"));
    QuantizedLinear q = some(4, 32, 32, 0, 0);
    EXPECT_THROW(packGptq(q, GptqVersion::v1), Error);
    q.scale[3] = 1e6f;
    EXPECT_THROW(packGptq(q, GptqVersion::v2), Error);
}

TEST(Gptq, RefusesTensorsOfAnotherForm) {
    const QuantizedLinear q = some(4, 32, 64, 32, 1);
    const GptqLinear good = packGptq(q, GptqVersion::v1);
    GptqLinear packed = good;
    packed.qzeros = good.groupOf;
    EXPECT_THROW(unpackGptq(packed, shapeOf(q), GptqVersion::v1, "a"), Error);
    packed = good;
    packed.groupOf = Tensor::i32({64}, std::vector<int32_t>(64, 1));
    EXPECT_THROW(unpackGptq(packed, shapeOf(q), GptqVersion::v1, "a"), Error);
}

TEST(Gptq, ConfigurationSaysHowToReadIt) {
    const Json config = gptqConfig({"a", 32, 64, 3, 0, 32, true}, GptqVersion::v2);
    EXPECT_EQ(config, Json::parse(R"({"quant_method": "gptq", "bits": 3, "group_size": 32, "desc_act": false, "sym": true, "lm_head": false,
                                      "checkpoint_format": "gptq_v2"})"));
    EXPECT_EQ(gptqConfig({"a", 32, 64, 4}, GptqVersion::v1)["group_size"], -1);
}

}  // namespace
}  // namespace owq
