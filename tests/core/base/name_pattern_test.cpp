// SPDX-License-Identifier: Apache-2.0
#include "core/base/name_pattern.h"

#include <gtest/gtest.h>

namespace owq {
namespace {

TEST(NamePattern, MatchesNameLastPartAndKind) {
    const char* name = "model.layers.3.self_attn.q_proj";
    EXPECT_TRUE(NamePattern("").matches(name, "q"));
    EXPECT_TRUE(NamePattern("q").matches(name, "q"));
    EXPECT_TRUE(NamePattern("fc1, q_proj").matches(name, "q"));
    EXPECT_TRUE(NamePattern("model.layers.3.*").matches(name, "q"));
    EXPECT_FALSE(NamePattern("model.layers.2.*,k").matches(name, "q"));
    EXPECT_FALSE(NamePattern("proj").matches(name, "q"));
}

}  // namespace
}  // namespace owq
