// SPDX-License-Identifier: Apache-2.0
#include "core/pack/packed_linear.h"

#include <gmock/gmock.h>

#include "core/base/error.h"
#include "core/checkpoint/torch_pickle.h"
#include "tests/core/pack/golden.h"

namespace owq {
namespace {

std::string bytes(const Tensor& t) {
    return std::string(name(t.dtype)) + shapeText(t.shape) +
           std::string(reinterpret_cast<const char*>(t.data), t.bytes());
}

QuantizedLinear small(int bits = 3) {
    QuantizedLinear q;
    q.rows = 4, q.columns = 64, q.bits = bits;
    q.zero = bits == 2 ? std::vector<float>{1, 2, 3, 0} : std::vector<float>{1, 2, 3, 7};
    q.scale = {0.5f, 0.25f, 1.5f, 0.125f};
    q.weakColumns = {3, 40};
    q.weakWeight = {1, 2, 3, 4, 5, 6, 7, 8};
    for (int r = 0; r < 4; ++r)
        for (int c = 0; c < 64; ++c)
            q.codes.push_back(uint8_t(c == 3 || c == 40 ? int(q.zero[r]) : (r * 5 + c * 3) % (1 << bits)));
    return q;
}

/// Groups of 16 counted over the kept columns; the last of the four stays empty but for 14.
QuantizedLinear grouped(int bits, bool symmetric) {
    QuantizedLinear q = small(bits);
    q.groupSize = 16, q.symmetric = symmetric;
    q.scale.clear(), q.zero.clear();
    for (int i = 0; i < 16; ++i) {
        q.scale.push_back(0.25f + float(i) / 8);
        q.zero.push_back(symmetric ? float(1 << (bits - 1)) : float(i * 7 % (1 << bits)));
    }
    const std::vector<int32_t> grid = gridOfColumns(q);
    for (int r = 0; r < 4; ++r)
        for (int c : {3, 40}) q.codes[size_t(r * 64 + c)] = uint8_t(q.zero[size_t(r * 4 + grid[size_t(c)])]);
    return q;
}

void expectSame(const QuantizedLinear& a, const QuantizedLinear& b) {
    EXPECT_EQ(a.codes, b.codes);
    EXPECT_EQ(a.zero, b.zero);
    EXPECT_EQ(a.scale, b.scale);
    EXPECT_EQ(a.weakColumns, b.weakColumns);
    EXPECT_EQ(a.weakWeight, b.weakWeight);
    EXPECT_EQ(a.bits, b.bits);
    EXPECT_EQ(a.groupSize, b.groupSize);
    EXPECT_EQ(a.symmetric, b.symmetric);
    EXPECT_EQ(dequantize(a), dequantize(b));
}

template <class F>
std::string message(F f) {
    try {
        f();
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

class GoldenPacking : public testing::TestWithParam<const char*> {};

TEST_P(GoldenPacking, AuthorsTensorsByteForByte) {
    const golden::Run run(GetParam());
    const PickleValue root = readTorchFile(run.packed);
    const PickleValue& state = *root.find("model_state_dict");
    ASSERT_GE(run.linears.size(), 36u);
    for (const std::string& name : run.linears) {
        const PackedLinear packed = pack(run.linear(name), DType::f16);
        const auto theirs = [&](const char* part) {
            return bytes(std::get<Tensor>(state.find(name + part)->value));
        };
        EXPECT_EQ(bytes(packed.qweight), theirs(".qweight")) << name;
        EXPECT_EQ(bytes(packed.scales), theirs(".scales")) << name;
        EXPECT_EQ(bytes(packed.zeros), theirs(".zeros")) << name;
        EXPECT_EQ(bytes(packed.oweight), theirs(".oweight")) << name;
        EXPECT_EQ(bytes(packed.outlieridx), theirs(".outlieridx")) << name;
    }
}
INSTANTIATE_TEST_SUITE_P(Samples, GoldenPacking, testing::Values("llama", "opt"));

TEST(PackedLinear, UnpackingGivesBackWhatWasPacked) {
    for (PackLayout layout : {PackLayout::latency, PackLayout::storage})
        for (int bits : {2, 3, 4, 8}) {
            SCOPED_TRACE(packLayoutName(layout) + ", " + std::to_string(bits) + " bits");
            const QuantizedLinear q = small(bits);
            expectSame(unpack(pack(q, DType::bf16, layout), 4, 64, "here"), q);
            for (bool symmetric : {false, true}) {
                const QuantizedLinear g = grouped(bits, symmetric);
                expectSame(unpack(pack(g, DType::f16, layout), 4, 64, "here"), g);
            }
            QuantizedLinear none = small(bits);
            none.weakColumns.clear(), none.weakWeight.clear();
            expectSame(unpack(pack(none, DType::f32, layout), 4, 64, "here"), none);
        }
}

TEST(PackedLinear, StorageFavouredCodesAreTheKeptColumnsOneAfterTheOther) {
    QuantizedLinear q = small(3);
    const PackedLinear p = pack(q, DType::f16, PackLayout::storage);
    EXPECT_EQ(p.qweight.dtype, DType::u8);
    EXPECT_EQ(p.qweight.shape, (std::vector<int64_t>{62, 2}));  // 4 codes of 3 bits: 12 bits, 2 bytes
    const auto bitsOf = [&](int line) { return int(p.qweight.data[line * 2]) | int(p.qweight.data[line * 2 + 1]) << 8; };
    for (int c = 0, line = 0; c < 64; ++c) {
        if (c == 3 || c == 40) continue;
        int expected = 0;
        for (int r = 0; r < 4; ++r) expected |= q.codes[size_t(r * 64 + c)] << (3 * r);
        EXPECT_EQ(bitsOf(line++), expected) << "column " << c;
    }
}

TEST(PackedLinear, BytesAreThoseOfTheTensors) {
    for (PackLayout layout : {PackLayout::latency, PackLayout::storage})
        for (DType type : {DType::f16, DType::f32})
            for (int bits : {2, 3, 4, 8})
                for (int64_t groupSize : {0, 16}) {
                    const QuantizedLinear q = groupSize ? grouped(bits, false) : small(bits);
                    const PackedLinear p = pack(q, type, layout);
                    const size_t sum =
                        p.qweight.bytes() + p.scales.bytes() + p.zeros.bytes() + p.oweight.bytes() + p.outlieridx.bytes();
                    EXPECT_EQ(packedBytes({"", 4, 64, bits, 2, groupSize}, type, layout), sum)
                        << packLayoutName(layout) << ", " << bits << " bits, groups of " << groupSize;
                }
    EXPECT_EQ(packedBytes({"", 4096, 4096, 3, 6}), 6291456u + 8192 + 2048 + 49152 + 24);
    // Appendix B.2: 6 columns of 4096 codes of 3 bits are not there.
    EXPECT_EQ(packedBytes({"", 4096, 4096, 3, 6}) - packedBytes({"", 4096, 4096, 3, 6}, DType::f16, PackLayout::storage),
              6u * 4096 * 3 / 8);
}

TEST(PackedLinear, RefusesWhatTheFormatCannotHold) {
    const auto refused = [](auto change) {
        QuantizedLinear q = small();
        change(q);
        return message([&] { pack(q, DType::f16); });
    };
    using testing::HasSubstr;
    EXPECT_THAT(refused([](auto& q) { q.bits = 5; }), HasSubstr("5-bit"));
    EXPECT_THAT(refused([](auto& q) { q.groupSize = 32; }), HasSubstr("sizes"));
    EXPECT_THAT(refused([](auto& q) { q.symmetric = true; }), HasSubstr("symmetric"));
    EXPECT_THAT(refused([](auto& q) { q.rows = 3; }), HasSubstr("3 rows"));
    EXPECT_THAT(refused([](auto& q) { q.columns = 48; }), HasSubstr("48 columns"));
    EXPECT_THAT(refused([](auto& q) { q.zero[1] = 2.5f; }), HasSubstr("whole number"));
    EXPECT_THAT(refused([](auto& q) { q.codes[0] = 8; }), HasSubstr("above 7"));
    EXPECT_THAT(refused([](auto& q) { q.codes[3] = 5; }), HasSubstr("weak column 3"));
    EXPECT_THAT(refused([](auto& q) { q.scale[0] = 1e6f; }), HasSubstr("not finite in F16"));
    EXPECT_THAT(refused([](auto& q) { q.weakColumns = {40, 3}; }), HasSubstr("ascending"));
    EXPECT_THAT(refused([](auto& q) { q.scale.pop_back(); }), HasSubstr("sizes"));
}

TEST(PackedLinear, DamagedTensorsAreNamed) {
    const auto refused = [](auto change) {
        PackedLinear p = pack(small(), DType::f16);
        change(p);
        return message([&] { unpack(p, 4, 64, "file, fc1"); });
    };
    using testing::HasSubstr;
    EXPECT_THAT(refused([](auto& p) {
                    p.qweight.shape = {5, 4};
                }),
                HasSubstr("file, fc1.qweight: is I32 [5, 4], expected I32 [6, 4]"));
    EXPECT_THAT(refused([](auto& p) {
                    p.qweight = Tensor::i32({6, 4}, std::vector<int32_t>(24));
                }),
                HasSubstr("weak column 3"));
    EXPECT_THAT(refused([](auto& p) {
                    p.zeros = Tensor::u8({2, 1}, {0x91, 0x73});
                }),
                HasSubstr("fc1.zeros: holds 9"));
    EXPECT_THAT(refused([](auto& p) {
                    p.outlieridx = Tensor::i32({2}, {3, 64});
                }),
                HasSubstr("fc1.outlieridx"));
    EXPECT_THAT(refused([](auto& p) { p.outlieridx = Tensor::i32({1}, {3}); }), HasSubstr("fc1.oweight"));
    EXPECT_THAT(refused([](auto& p) {
                    p.scales = Tensor::from<uint16_t>(DType::f16, {4, 1}, {0, 0, 0x7c00, 0});
                }),
                HasSubstr("fc1.scales: holds a value that is not finite"));
    EXPECT_THAT(refused([](auto& p) { p.bits = 5; }), HasSubstr("5-bit"));
    EXPECT_THAT(refused([](auto& p) { p.bits = 2; }), HasSubstr("fc1.zeros: holds 7, above 3"));
    EXPECT_THAT(refused([](auto& p) { p.layout = PackLayout::storage; }), HasSubstr("fc1.qweight: is I32 [6, 4], expected U8 [62, 2]"));
    EXPECT_THAT(refused([](auto& p) { p.groupSize = 16; }), HasSubstr("fc1.scales: is F16 [4, 1], expected F16 [4, 4]"));
    EXPECT_THAT(refused([](auto& p) { p.groupSize = 65; }), HasSubstr("impossible"));
    EXPECT_THAT(refused([](auto& p) { p.symmetric = true; }), HasSubstr("symmetric"));
    EXPECT_THAT(message([] { unpack(PackedLinear{}, -2, 64, "x"); }), HasSubstr("impossible"));
}

TEST(PackedLinear, OlderFilesHoldWeakWeightsByRow) {
    PackedLinear p = pack(small(), DType::f32);
    p.oweight = Tensor::f32({4, 2}, small().weakWeight);
    EXPECT_EQ(unpack(p, 4, 64, "x").weakWeight, small().weakWeight);
}

}  // namespace
}  // namespace owq
