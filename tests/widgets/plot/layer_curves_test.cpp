// SPDX-License-Identifier: Apache-2.0
#include "widgets/plot/layer_curves.h"

#include <gtest/gtest.h>

namespace owq {
namespace {

TEST(LayerCurves, KindIsTheLastPartOfTheName) {
    EXPECT_EQ(kindOf(QStringLiteral("model.layers.0.self_attn.q_proj")), QStringLiteral("q_proj"));
    EXPECT_EQ(kindOf(QStringLiteral("fc1")), QStringLiteral("fc1"));
}

TEST(LayerCurves, ShortNameKeepsTheBlock) {
    EXPECT_EQ(shortName(QStringLiteral("model.layers.11.self_attn.q_proj")), QStringLiteral("11 q_proj"));
    EXPECT_EQ(shortName(QStringLiteral("transformer.h.3.mlp.c_proj")), QStringLiteral("3 mlp.c_proj"));
    EXPECT_EQ(shortName(QStringLiteral("lm_head")), QStringLiteral("lm_head"));
    EXPECT_EQ(shortName(QStringLiteral("blocks.3")), QStringLiteral("3"));
}

}  // namespace
}  // namespace owq
