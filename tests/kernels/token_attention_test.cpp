// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/attention.h"
#include "tests/kernels/each_instruction_set.h"
#include "tests/kernels/some_floats.h"
#include "tests/kernels/stored_case.h"

namespace owq::kernels {
namespace {

struct Shape {
    int64_t tokens, heads, keyHeads, size;
};
// Head sizes of models (32 … 136, which is 128 with ALiBi's channels), and odd ones; one query, some and many share a key.
constexpr Shape kShapes[] = {{1, 1, 1, 32},  {5, 2, 1, 64},  {64, 6, 2, 96}, {131, 8, 1, 128}, {700, 14, 2, 32}, {65, 4, 4, 80},
                             {33, 3, 1, 136}, {130, 3, 3, 33}, {7, 2, 2, 1},  {67, 10, 2, 7},   {3, 4, 2, 301}};

/// A head's output in fp64, and the sums of the magnitudes that it is made of.
struct Expected {
    Expected(const float* q, const float* key, const float* value, const Shape& s, float scale)
        : mixed(size_t(s.size)), magnitude(mixed) {
        std::vector<double> weight(size_t(s.tokens));
        double most = -INFINITY, sum = 0;
        for (int64_t j = 0; j < s.tokens; ++j) {
            for (int64_t d = 0; d < s.size; ++d) weight[size_t(j)] += double(q[d]) * double(key[j * s.size + d]) * double(scale);
            most = std::max(most, weight[size_t(j)]);
        }
        for (double& w : weight) sum += w = std::exp(w - most);
        for (int64_t j = 0; j < s.tokens; ++j)
            for (int64_t d = 0; d < s.size; ++d) {
                const double part = weight[size_t(j)] / sum * double(value[j * s.size + d]);
                mixed[size_t(d)] += part;
                magnitude[size_t(d)] += std::abs(part);
            }
    }
    std::vector<double> mixed, magnitude;
};

using TokenAttentionOn = EachInstructionSet;

TEST_P(TokenAttentionOn, AgreesWithTheSumInDouble) {
    unsigned seed = 71;
    const float scale = 0.3f;
    for (const Shape& s : kShapes)
        for (const StoredType type : kTypes) {
            // More room behind each head's keys than is in use, as in a cache that grows.
            const int64_t room = s.tokens + 3, apart = room * s.size, shared = s.heads / s.keyHeads;
            const auto q = someFloats(s.heads * s.size, seed++);
            Stored k(type, s.keyHeads * room, s.size, seed++), v(type, s.keyHeads * room, s.size, seed++);
            std::vector<float> out(q.size(), NAN), again(out);
            setThreads(1);
            tokenAttention({q.data(), k.data(), v.data(), type, s.tokens, s.heads, s.keyHeads, s.size, apart, scale, out.data()});
            setThreads(3);
            tokenAttention({q.data(), k.data(), v.data(), type, s.tokens, s.heads, s.keyHeads, s.size, apart, scale, again.data()});
            EXPECT_EQ(out, again);
            for (int64_t h = 0; h < s.heads; ++h) {
                const int64_t at = h / shared * apart;
                const Expected expected(&q[size_t(h * s.size)], &k.values[size_t(at)], &v.values[size_t(at)], s, scale);
                for (int64_t d = 0; d < s.size; ++d)
                    ASSERT_NEAR(out[size_t(h * s.size + d)], expected.mixed[size_t(d)], 2e-5 * expected.magnitude[size_t(d)])
                        << s.tokens << " tokens of " << s.size << ", type " << int(type) << ", head " << h << ", " << d;
            }
        }
}

/// The largest that fp16 holds, and its smallest steps.
TEST_P(TokenAttentionOn, ReadsTheEndsOfHalfPrecision) {
    const std::vector<uint16_t> value{0x7bff, 0xfbff, 0x0001, 0x8001, 0x03ff, 0x0400, 0x0000, 0x8000, 0x3c00};
    const int64_t size = int64_t(value.size());
    const std::vector<float> q(value.size());
    std::vector<float> out(value.size(), NAN);
    tokenAttention({q.data(), value.data(), value.data(), StoredType::f16, 1, 1, 1, size, size, 1.f, out.data()});
    EXPECT_EQ(out, (std::vector<float>{65504, -65504, 0x1p-24f, -0x1p-24f, 1023 * 0x1p-24f, 0x1p-14f, 0, 0, 1}));
}

INSTANTIATE_TEST_SUITE_P(Sets, TokenAttentionOn, testing::Values(InstructionSet::scalar, InstructionSet::avx2, InstructionSet::avx512));

}  // namespace
}  // namespace owq::kernels
