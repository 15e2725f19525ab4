// SPDX-License-Identifier: Apache-2.0
#include "core/model/rounded_head.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/model/language_model.h"
#include "core/model/torch_tensor.h"
#include "tests/core/model/model_test_data.h"

namespace owq {
namespace {

using namespace owq::testing;

TEST(RoundedHead, IsTheHeadWithinHalfAStepAndNothingElse) {
    const auto source = ModelSource::open(sampleModel("llama"));
    const HeadShape shape = headShape(*source);
    EXPECT_EQ(shape.rows, 4096);
    EXPECT_EQ(shape.columns, 256);
    const std::vector<float> head = source->tensor("lm_head.weight").toFloat();
    for (const int bits : {2, 3, 4, 8}) {
        const auto rounded = withRoundedHead(source, bits);
        EXPECT_TRUE(rounded->quantized("lm_head"));
        EXPECT_FALSE(rounded->quantized("model.layers.0.mlp.up_proj"));
        const QuantizedLinear q = rounded->linear("lm_head");
        EXPECT_EQ(q.bits, bits);
        const std::vector<float> values = dequantize(q);
        ASSERT_EQ(values.size(), head.size());
        for (int64_t r = 0; r < q.rows; ++r) {
            const auto [low, high] = std::minmax_element(&head[size_t(r * q.columns)], &head[size_t((r + 1) * q.columns)]);
            // A min-max grid reaches from the least to the largest weight, 0 included; its zero point is rounded, too.
            const float step = (std::max(*high, 0.f) - std::min(*low, 0.f)) / float((1 << bits) - 1);
            for (int64_t c = 0; c < q.columns; ++c)
                ASSERT_LE(std::fabs(values[size_t(r * q.columns + c)] - head[size_t(r * q.columns + c)]), 1.001f * step) << bits << ' ' << r << ' ' << c;
        }
    }
}

TEST(RoundedHead, LeavesAnEmbeddingThatIsTiedToIt) {
    const auto source = ModelSource::open(sampleModel("opt"));
    const auto rounded = withRoundedHead(source, 3);
    const std::string table = "model.decoder.embed_tokens.weight";
    EXPECT_EQ(rounded->tensor(table).data, source->tensor(table).data);
    const LanguageModel before(source, Arithmetic::exact), after(rounded, Arithmetic::exact);
    const std::vector<int32_t> ids{5, 80, 311};
    const at::Tensor tokens = idTensor(ids.data(), 1, 3);
    EXPECT_TRUE(before.embed(tokens).equal(after.embed(tokens)));
    const at::Tensor hidden = before.embed(tokens);
    EXPECT_FALSE(before.head(hidden).equal(after.head(hidden)));
}

TEST(RoundedHead, EightBitsChangeLittleOfTheLogits) {
    const auto source = ModelSource::open(sampleModel("llama"));
    const LanguageModel before(source, Arithmetic::exact), after(withRoundedHead(source, 8), Arithmetic::exact);
    const std::vector<int32_t> ids{1, 80, 311, 17};
    const at::Tensor tokens = idTensor(ids.data(), 1, 4), logits = before.forward(tokens);
    EXPECT_LT(after.forward(tokens).sub(logits).norm().item().toDouble(), 0.01 * logits.norm().item().toDouble());
}

}  // namespace
}  // namespace owq
