// SPDX-License-Identifier: Apache-2.0
#include "kernels/matvec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "kernels/cpu/packed_table.h"
#include "kernels/thread_pool.h"
#include "tests/kernels/each_instruction_set.h"
#include "tests/kernels/matvec_case.h"

#pragma GCC diagnostic ignored "-Wpsabi"  // wide vectors cross a function's border only within this file

namespace owq::kernels {
namespace {

struct Shape {
    int64_t rows, columns, weak, batch, groupSize;
};

constexpr Shape kShapes[] = {{1, 32, 0, 1, 0},     {2, 64, 1, 2, 0},      {7, 96, 2, 3, 32},    {8, 128, 3, 4, 64},    {9, 161, 4, 5, 0},
                             {40, 352, 5, 6, 128}, {33, 1024, 6, 7, 256}, {16, 704, 7, 8, 96},  {24, 256, 64, 9, 0},   {257, 288, 2, 1, 160},
                             {30, 515, 6, 16, 0},  {12, 4096, 8, 17, 0},  {5, 2000, 64, 33, 0}, {21, 1536, 9, 1, 512}, {8, 255, 0, 40, 32}};

/// What rounding the inputs may change at most: |W| times half a step of the second, or first, 8-bit number.
double roundingBound(const MatvecCase& m, int64_t t, int64_t r, double divisor) {
    double bound = 0;
    std::vector<int64_t> kept;
    for (int64_t c = 0; c < m.columns; ++c)
        if (!std::count(m.weakColumns.begin(), m.weakColumns.end(), int32_t(c))) kept.push_back(c);
    for (size_t unit = 0; unit < kept.size(); unit += 256) {
        const size_t end = std::min(kept.size(), unit + 256);
        double largest = 0, weights = 0;
        for (size_t i = unit; i < end; ++i) {
            largest = std::max(largest, std::abs(double(m.x[size_t(t * m.columns + kept[i])])));
            weights += std::abs(m.weight(r, kept[i]));
        }
        bound += largest / divisor * weights;
    }
    return bound;
}

using Matvec = EachInstructionSet;

/// Values at an address that is a multiple of their own size and of nothing more.
template <class T>
struct Misaligned {
    Misaligned(const Misaligned&) = delete;
    explicit Misaligned(const std::vector<T>& values) : memory(values.size() + 64 / sizeof(T) + 1) {
        void* at = memory.data();
        size_t space = memory.size() * sizeof(T);
        data = static_cast<T*>(std::align(64, values.size() * sizeof(T), at, space)) + 1;
        std::copy(values.begin(), values.end(), data);
    }
    std::vector<T> memory;
    T* data;
};

/// Every result of every kind of activations against the product in double, within what matvec.h states.
void expectWithinBounds(const MatvecCase& m) {
    const std::string where = std::to_string(m.bits) + " bits, " + std::to_string(m.rows) + " x " + std::to_string(m.columns) + ", " +
                              std::to_string(m.weakColumns.size()) + " weak, groups of " + std::to_string(m.groupSize) + ", batch " +
                              std::to_string(m.batch);
    Misaligned codes(m.codes);
    Misaligned x(m.x);
    PackedWeight weight = m.packed();
    weight.codes = codes.data;
    const PackedMatrix matrix(weight);
    const std::vector<float> untouched(size_t(m.batch * m.rows), -1e30f);
    Misaligned exact(untouched), twice(untouched), once(untouched);
    matrix.multiply(x.data, m.batch, exact.data);
    matrix.multiply(x.data, m.batch, twice.data, Activations::doubleInt8);
    matrix.multiply(x.data, m.batch, once.data, Activations::int8);
    for (int64_t t = 0; t < m.batch; ++t)
        for (int64_t r = 0; r < m.rows; ++r) {
            double magnitude = 0;
            const double expected = m.expected(t, r, &magnitude);
            const size_t at = size_t(t * m.rows + r);
            const double uncentred = m.bits == 8 ? 2e-5 : 8e-6;
            ASSERT_NEAR(exact.data[at], expected, 2e-6 * magnitude) << where << ": " << t << ", " << r;
            ASSERT_NEAR(twice.data[at], expected, roundingBound(m, t, r, 2 * 127 * 254) + uncentred * magnitude) << where << ": " << t << ", " << r;
            ASSERT_NEAR(once.data[at], expected, roundingBound(m, t, r, 2 * 127) + uncentred * magnitude) << where << ": " << t << ", " << r;
        }
}

TEST_P(Matvec, AgreesWithTheProductInDouble) {
    unsigned seed = 1;
    for (const int bits : {2, 3, 4, 8})
        for (const Shape& s : kShapes) {
            expectWithinBounds({s.rows, s.columns, bits, s.weak, s.batch, seed++, s.groupSize});
            if (HasFatalFailure()) return;
        }
}

TEST_P(Matvec, AgreesWithTheProductInDoubleForRandomShapes) {
    std::mt19937 random(20261129);
    const auto upTo = [&](int64_t most) { return int64_t(random() % uint64_t(most + 1)); };
    for (int i = 0; i < 120; ++i) {
        const int bits = std::array{2, 3, 4, 8}[size_t(i % 4)];
        const int64_t rows = 1 + upTo(66), columns = 1 + upTo(i % 3 ? 300 : 1300);
        const int64_t weak = i % 5 ? upTo(std::min<int64_t>(64, columns)) : std::min<int64_t>(64, columns);  // all of them, too
        const StoredType weakType = std::array{StoredType::f32, StoredType::f16, StoredType::bf16}[size_t(i % 3)];
        expectWithinBounds({rows, columns, bits, weak, 1 + upTo(16), unsigned(random()), i % 2 ? 32 * (1 + upTo(5)) : 0, weakType});
        if (HasFatalFailure()) return;
    }
}

// Streams of 0x84000 bytes: the first and the third would have equal tags in the first-level cache.
TEST_P(Matvec, StreamsThatWouldDriveEachOtherOutOfTheCacheAreMovedApart) {
    const MatvecCase m(1056, 2048, 8, 0, 1, 5);
    expectWithinBounds(m);
    const uint64_t codes = PackedMatrix(m.packed()).bytes() - 3 * 1056 * sizeof(float);  // scales, zeros, bias
    EXPECT_GE(codes, 4u * 0x84000 + 3 * 4096);
    EXPECT_LE(codes, 4u * 0x84000 + 3 * 16 * 4096);
}

TEST_P(Matvec, RoundingTwiceIsFarBelowTheErrorOfOneInt8) {
    for (const int bits : {3, 4}) {
        const MatvecCase m(256, 4096, bits, 6, 4, 77);
        const PackedMatrix matrix(m.packed());
        std::vector<float> exact(size_t(m.batch * m.rows)), twice(exact), once(exact);
        matrix.multiply(m.x.data(), m.batch, exact.data());
        matrix.multiply(m.x.data(), m.batch, twice.data(), Activations::doubleInt8);
        matrix.multiply(m.x.data(), m.batch, once.data(), Activations::int8);
        double size = 0, two = 0, one = 0;
        for (size_t i = 0; i < exact.size(); ++i) {
            size += double(exact[i]) * exact[i];
            two += std::pow(double(twice[i]) - exact[i], 2);
            one += std::pow(double(once[i]) - exact[i], 2);
        }
        EXPECT_LT(std::sqrt(two / size), 1e-4);
        EXPECT_LT(std::sqrt(one / size), 2e-2);
        EXPECT_LT(two * 1e3, one);
    }
}

TEST_P(Matvec, ATokenDoesNotDependOnItsNeighboursNorOnTheThreads) {
    const MatvecCase m(100, 1024, 3, 4, 4, 99);
    const PackedMatrix matrix(m.packed());
    for (const Activations activations : {Activations::exact, Activations::doubleInt8, Activations::int8}) {
        std::vector<float> together(400), other(400);
        setThreads(1);
        matrix.multiply(m.x.data(), 4, together.data(), activations);
        setThreads(3);
        matrix.multiply(m.x.data(), 4, other.data(), activations);
        EXPECT_EQ(together, other);
        std::vector<float> changed = m.x;
        for (int c = 0; c < 1024; ++c) changed[size_t(c)] = 7;
        matrix.multiply(changed.data(), 4, other.data(), activations);
        for (size_t i = 100; i < 400; ++i) EXPECT_EQ(together[i], other[i]);
        matrix.multiply(m.x.data() + 1024, 1, other.data(), activations);
        for (size_t i = 0; i < 100; ++i) EXPECT_EQ(together[100 + i], other[i]);
    }
}

TEST_P(Matvec, HugeWeakActivationsDoNotSpoilTheRest) {
    MatvecCase m(16, 256, 3, 1, 1, 5);
    for (float& w : m.weakWeight) w = 0;
    const PackedMatrix matrix(m.packed());
    for (const Activations activations : {Activations::exact, Activations::doubleInt8}) {
        std::vector<float> small(16), huge(16);
        matrix.multiply(m.x.data(), 1, small.data(), activations);
        std::vector<float> x = m.x;
        x[size_t(m.weakColumns[0])] = 1e30f;
        matrix.multiply(x.data(), 1, huge.data(), activations);
        EXPECT_EQ(small, huge);
    }
}

TEST_P(Matvec, InputsOfAnySize) {
    for (const float factor : {0.f, 1e-38f, 1e-20f, 1e20f, 1e30f}) {
        MatvecCase m(16, 512, 4, 2, 1, 6);
        for (float& v : m.x) v *= factor;
        std::fill(m.bias.begin(), m.bias.end(), 0.f);
        const PackedMatrix matrix(m.packed());
        std::vector<float> y(16);
        matrix.multiply(m.x.data(), 1, y.data(), Activations::doubleInt8);
        for (int64_t r = 0; r < 16; ++r) {
            double magnitude = 0;
            const double expected = m.expected(0, r, &magnitude);
            EXPECT_NEAR(y[size_t(r)], expected, roundingBound(m, 0, r, 2 * 127 * 254) + 8e-6 * magnitude + 1e-28) << factor;
        }
    }
}

TEST_P(Matvec, WhatIsNotFiniteStaysSo) {
    const MatvecCase m(16, 512, 3, 2, 3, 7);
    const PackedMatrix matrix(m.packed());
    for (const float value : {NAN, INFINITY, -INFINITY})
        for (const Activations activations : {Activations::exact, Activations::doubleInt8, Activations::int8}) {
            std::vector<float> x = m.x, y(48);
            int64_t c = 300;
            while (std::count(m.weakColumns.begin(), m.weakColumns.end(), int32_t(c))) ++c;
            x[size_t(512 + c)] = value;
            matrix.multiply(x.data(), 3, y.data(), activations);
            for (size_t i = 0; i < 48; ++i) EXPECT_EQ(std::isfinite(y[i]), i < 16 || i >= 32 || (activations == Activations::exact && std::isfinite(y[i]))) << i;
        }
}

// What the instructions of AVX-512 and VNNI do.
using ManyBytes = uint8_t __attribute__((vector_size(64)));
using ManyInts = int32_t __attribute__((vector_size(64)));
using ManyUnsigned = uint32_t __attribute__((vector_size(64)));
using ManyFloats = float __attribute__((vector_size(64)));

ManyInts dot(ManyInts sums, const ManyBytes& codes, const ManyBytes& x) {
    for (int i = 0; i < 64; ++i) sums[i / 4] += int(codes[i]) * int(int8_t(x[i]));
    return sums;
}

ManyBytes both(const void* p) {
    ManyBytes out;
    std::memcpy(&out, p, 32);
    std::memcpy(reinterpret_cast<uint8_t*>(&out) + 32, p, 32);
    return out;
}

ManyFloats lookUp(const ManyFloats& table, const ManyUnsigned& at) {
    ManyFloats out{};
    for (int i = 0; i < 16; ++i) out[i] = table[at[i] & 15];
    return out;
}

/// What AMX's tiles do. A thread must begin before it uses them, and end.
struct EmulatedTiles {
    struct Tile {
        alignas(64) uint8_t bytes[16][64];
    };
    static inline thread_local Tile tiles[8];
    static inline thread_local bool begun = false;
    static inline bool signedCodes = false;  ///< wrongly

    static void begin() {
        EXPECT_FALSE(begun);
        begun = true;
        for (Tile& t : tiles) std::memset(&t, 0xab, sizeof t);  // nobody may count on what was there
    }
    static void end() {
        EXPECT_TRUE(begun);
        begun = false;
    }
    template <int kTile>
    static void zero() {
        EXPECT_TRUE(begun);
        std::memset(&tiles[kTile], 0, sizeof(Tile));
    }
    template <int kTile>
    static void load(const void* from) {
        EXPECT_TRUE(begun);
        std::memcpy(&tiles[kTile], from, sizeof(Tile));
    }
    template <int kTile>
    static void store(void* to) {
        EXPECT_TRUE(begun);
        std::memcpy(to, &tiles[kTile], sizeof(Tile));
    }
    template <int kSums, int kCodes, int kX>
    static void dot() {
        EXPECT_TRUE(begun);
        for (int m = 0; m < 16; ++m)
            for (int n = 0; n < 16; ++n) {
                int32_t sum = 0;
                std::memcpy(&sum, tiles[kSums].bytes[m] + 4 * n, 4);
                for (int k = 0; k < 64; ++k) sum += (signedCodes ? int(int8_t(tiles[kCodes].bytes[m][k])) : int(tiles[kCodes].bytes[m][k])) * int(int8_t(tiles[kX].bytes[k / 4][4 * n + k % 4]));
                std::memcpy(tiles[kSums].bytes[m] + 4 * n, &sum, 4);
            }
    }
};

}  // namespace
}  // namespace owq::kernels

// The form for processors with AVX-512 VNNI and AMX, with its instructions spelled out.
#define OWQ_SET emulated
#define OWQ_TILES EmulatedTiles
#define OWQ_TWO_ROWS
#define OWQ_BOTH(p) both(p)
#define OWQ_DOT(sums, codes, x) dot(sums, codes, x)
#define OWQ_LOOKUP(table, ints) lookUp(table, ints)
#include "kernels/cpu/packed_tile.inc"

namespace owq::kernels {
namespace {

TEST(PackedTile, TheFormForVnniIsThePlainOne) {
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    for (const int bits : {2, 3, 4, 8})
        for (const int64_t groupFields : {0, 1, 2, 4, 8})
            for (const Activations activations : {Activations::exact, Activations::doubleInt8, Activations::int8})
                for (const int64_t tokens : {1, 5}) {
                    constexpr int64_t units = 3, fields = units * kUnitFields;
                    const int64_t groups = groupFields ? fields / groupFields : 1;
                    std::vector<int32_t> fieldGroup;
                    for (int64_t f = 0; f < fields; ++f) fieldGroup.push_back(int32_t(groupFields ? f / groupFields : 0));
                    std::vector<uint8_t> codes(size_t(units * kPackedRows * unitBytes(bits)));
                    for (uint8_t& v : codes) v = uint8_t(random());
                    std::vector<float> x(size_t(units * tokens * kUnitColumns)), scale(size_t(groups * kPackedRows)), zero(scale);
                    for (float& v : x) v = normal(random);
                    for (float& v : scale) v = 0.01f + 0.001f * float(random() % 16);
                    for (float& v : zero) v = float(random() % (1u << bits));
                    const bool twice = activations == Activations::doubleInt8;
                    std::vector<float> results[2];
                    for (const PackedTable* table : {&scalar::packedTable, &emulated::packedTable}) {
                        std::vector<int8_t> values(x.size() * 2);
                        std::vector<float> scales(size_t(units * tokens * 2)), fieldSums(static_cast<size_t>(fields)), sums(size_t(tokens * groups)),
                            out(size_t(tokens * kPackedRows));
                        const RoundedInputs rounded{values.data(), scales.data()};
                        for (int64_t token = 0; token < tokens; ++token) {
                            const float* const in = x.data() + token * units * kUnitColumns;
                            if (activations == Activations::exact)
                                table->fieldSums(in, fields, fieldSums.data());
                            else
                                table->roundInputs(in, units, token, tokens, twice, rounded, fieldSums.data());
                            for (int64_t f = 0; f < fields; ++f) sums[size_t(token * groups + fieldGroup[size_t(f)])] += fieldSums[size_t(f)];
                        }
                        table->multiply({codes.data(), units * 2 * unitBytes(bits), 0, units, tokens, activations == Activations::exact ? nullptr : &rounded, twice,
                                         x.data(), sums.data(), scale.data(), zero.data(), groups, groupFields, fieldGroup.data(), nullptr, StoredType::f32, nullptr, 0, nullptr,
                                         out.data()},
                                        bits);
                        results[table == &emulated::packedTable] = out;
                    }
                    // Whole numbers are summed exactly; what differs is where a product and a sum are rounded at once.
                    for (size_t i = 0; i < results[0].size(); ++i)
                        ASSERT_NEAR(results[0][i], results[1][i], (bits == 8 ? 2e-3 : 1e-4)) << bits << ", " << groupFields << ", " << int(activations);
                }
}

INSTANTIATE_TEST_SUITE_P(Sets, Matvec, testing::Values(InstructionSet::scalar, InstructionSet::avx2, InstructionSet::vnni, InstructionSet::amx));

/// Every product by the imitated matrix unit that would go to one.
class MatrixUnit : public testing::Test {
protected:
    void SetUp() override { usePackedTable(&emulated::tilesTable); }
    void TearDown() override { usePackedTable(nullptr); }
};

TEST_F(MatrixUnit, AgreesWithTheProductInDouble) {
    constexpr Shape kMany[] = {{1, 32, 0, 8, 0},    {16, 64, 1, 16, 64},  {17, 300, 3, 17, 0},   {8, 257, 64, 31, 0},   {40, 520, 6, 33, 128},
                               {33, 530, 2, 40, 256}, {24, 704, 7, 12, 192}, {9, 1024, 5, 129, 512}, {21, 290, 0, 300, 64}, {16, 96, 96, 9, 0},
                               {5, 200, 2, 20, 96}};
    unsigned seed = 1;
    for (const int bits : {2, 3, 4, 8})
        for (const Shape& s : kMany) {
            const StoredType weakType = std::array{StoredType::f16, StoredType::bf16, StoredType::f32}[seed % 3];
            expectWithinBounds({s.rows, s.columns, bits, s.weak, s.batch, seed++, s.groupSize, weakType});
            if (HasFatalFailure()) return;
        }
}

TEST_F(MatrixUnit, ATokenDoesNotDependOnItsNeighboursNorOnTheThreads) {
    const MatvecCase m(50, 520, 3, 4, 40, 99);
    const PackedMatrix matrix(m.packed());
    for (const Activations activations : {Activations::doubleInt8, Activations::int8}) {
        std::vector<float> together(2000), other(2000);
        setThreads(1);
        matrix.multiply(m.x.data(), 40, together.data(), activations);
        setThreads(3);
        matrix.multiply(m.x.data(), 40, other.data(), activations);
        EXPECT_EQ(together, other);
        std::vector<float> changed = m.x;
        for (int c = 0; c < 520; ++c) changed[size_t(c)] = 7;
        matrix.multiply(changed.data(), 40, other.data(), activations);
        for (size_t i = 50; i < 2000; ++i) EXPECT_EQ(together[i], other[i]);
        matrix.multiply(m.x.data() + 520 * 9, 20, other.data(), activations);
        for (size_t i = 0; i < 1000; ++i) EXPECT_EQ(together[450 + i], other[i]);
        changed = m.x;
        changed[520 * 3 + 5] = NAN;
        ASSERT_FALSE(std::count(m.weakColumns.begin(), m.weakColumns.end(), 5)) << "another column, please";
        matrix.multiply(changed.data(), 40, other.data(), activations);
        for (size_t i = 0; i < 2000; ++i) EXPECT_EQ(std::isfinite(other[i]), i < 150 || i >= 200);
    }
    setThreads(0);
}

// Where there is a unit that multiplies otherwise, it is not used.
TEST_F(MatrixUnit, MustAgreeWithTheOtherInstructions) {
    EXPECT_TRUE(tilesAgree(emulated::tilesTable, emulated::packedTable));
    PackedTable wrong = emulated::tilesTable;
    wrong.multiplyMany = [](const PackedTile* tiles, int64_t count, const ManyInputs& in, int bits) {
        emulated::tilesTable.multiplyMany(tiles, count, in, bits);
        tiles[1].out[18 * kPackedRows + 7] += 10;  // thousands are usual
    };
    EXPECT_FALSE(tilesAgree(wrong, emulated::packedTable));
    wrong.multiplyMany = [](const PackedTile* tiles, int64_t count, const ManyInputs& in, int bits) {
        emulated::tilesTable.multiplyMany(tiles, count, in, bits);
        tiles[0].out[0] = NAN;
    };
    EXPECT_FALSE(tilesAgree(wrong, emulated::packedTable));
    wrong.multiplyMany = [](const PackedTile* tiles, int64_t count, const ManyInputs& in, int bits) {
        EmulatedTiles::signedCodes = true;
        emulated::tilesTable.multiplyMany(tiles, count, in, bits);
        EmulatedTiles::signedCodes = false;
    };
    EXPECT_FALSE(tilesAgree(wrong, emulated::packedTable));
}

TEST_P(Matvec, AMatrixUnitThatIsThereIsUsed) {
    EXPECT_EQ(packedTable().multiplyMany != nullptr, GetParam() == InstructionSet::amx) << "one that does not multiply as the other instructions do";
}

// Otherwise the tests above would say nothing: fewer tokens than a unit is worth, exact inputs and small groups go another way.
TEST_F(MatrixUnit, IsUsedWhereItShouldBe) {
    static std::atomic<int> calls = 0;
    PackedTable counting = emulated::tilesTable;
    counting.multiplyMany = [](const PackedTile* tiles, int64_t count, const ManyInputs& in, int bits) {
        calls++;
        emulated::tilesTable.multiplyMany(tiles, count, in, bits);
    };
    usePackedTable(&counting);
    const auto callsOf = [&](int64_t batch, int64_t groupSize, Activations activations) {
        const MatvecCase m(40, 128, 3, 0, batch, 1, groupSize);
        std::vector<float> y(size_t(40 * batch));
        calls = 0;
        PackedMatrix(m.packed()).multiply(m.x.data(), batch, y.data(), activations);
        return calls.load();
    };
    EXPECT_EQ(callsOf(8, 0, Activations::doubleInt8), 3);  // pairs of tiles of 8 rows
    EXPECT_EQ(callsOf(200, 64, Activations::int8), 6);     // twice up to 128 tokens
    EXPECT_EQ(callsOf(130, 64, Activations::int8), 3);     // two are left over
    EXPECT_EQ(callsOf(7, 0, Activations::doubleInt8), 0);
    EXPECT_EQ(callsOf(8, 0, Activations::exact), 0);
    EXPECT_EQ(callsOf(8, 32, Activations::doubleInt8), 0);
}

TEST(PackedMatrix, RowsDequantizeToTheWeights) {
    for (const int bits : {2, 3, 4, 8})
        for (const int64_t groupSize : {0, 32, 96}) {
            const MatvecCase m(21, 500, bits, 3, 1, 11, groupSize);
            const PackedMatrix matrix(m.packed());
            std::vector<float> rows(size_t(12 * m.columns));
            matrix.dequantizeRows(5, 17, rows.data());
            for (int64_t r = 5; r < 17; ++r)
                for (int64_t c = 0; c < m.columns; ++c)
                    ASSERT_EQ(rows[size_t((r - 5) * m.columns + c)], float(m.weight(r, c))) << r << ", " << c;
        }
}

// The smallest type that holds them all is the one that is read with each token.
TEST(PackedMatrix, WeakWeightsOfSixteenBitsAreKeptInSixteen) {
    struct Values {
        std::vector<float> of;
        int64_t bytes;
    };
    for (const Values& v : {Values{{65504, -65504, 0x1p-14f, 0x1.ff8p-15f, 0x1p-24f, -3 * 0x1p-24f, 0.f, -0.f, 1.5f, 0x1.004p0f}, 2},  // f16
                            Values{{65536, 0x1p-24f}, 2}, Values{{0x1p-25f, 3e38f * 0}, 2}, Values{{0x1.02p100f, -0x1.fep-126f, 1}, 2},     // bf16
                            Values{{0x1.008p0f, 65536}, 4}, Values{{0x1.002p0f}, 4}, Values{{3 * 0x1p-25f, 0x1.004p0f}, 4}, Values{{65519}, 4}}) {
        MatvecCase c(19, 64, 3, 3, 1, 4);
        const uint64_t without = PackedMatrix(MatvecCase(19, 64, 3, 0, 1, 4).packed()).bytes();
        for (size_t i = 0; i < c.weakWeight.size(); ++i) c.weakWeight[i] = v.of[i % v.of.size()];
        const PackedMatrix matrix(c.packed());
        EXPECT_EQ(matrix.bytes() - without, uint64_t(24 * 3 * v.bytes + 3 * 4)) << v.of[0];
        std::vector<float> rows(size_t(19 * 64));
        matrix.dequantizeRows(0, 19, rows.data());
        for (int64_t r = 0; r < 19; ++r)
            for (size_t j = 0; j < 3; ++j) {
                const float kept = rows[size_t(r * 64 + c.weakColumns[j])], put = c.weakWeight[size_t(r) * 3 + j];
                EXPECT_EQ(std::bit_cast<uint32_t>(kept), std::bit_cast<uint32_t>(put)) << put;
            }
    }
}

TEST(PackedMatrix, TheCodesComeBack) {
    for (const int bits : {2, 3, 4, 8})
        for (const int64_t rows : {1, 8, 21}) {
            const MatvecCase m(rows, 330, bits, 2, 1, 3);
            const PackedMatrix matrix(m.packed());
            std::vector<uint8_t> codes(330);
            for (int64_t r = 0; r < rows; ++r) {
                matrix.codes(r, codes.data());
                for (int64_t c = 0; c < 330; ++c)
                    ASSERT_EQ(codes[size_t(c)], std::count(m.weakColumns.begin(), m.weakColumns.end(), int32_t(c)) ? 0 : m.codes[size_t(r * 330 + c)]);
            }
        }
}

TEST(PackedMatrix, TakesOtherWeakWeightsAndCopiesKeepTheirs) {
    MatvecCase c(37, 300, 3, 5, 3, 11);
    PackedMatrix matrix(c.packed());
    const PackedMatrix copy = matrix;
    std::vector<float> before(size_t(c.batch * c.rows)), after(before), kept(before), expected(before);
    copy.multiply(c.x.data(), c.batch, before.data());
    for (float& w : c.weakWeight) w = 1 - w;
    matrix.setWeakWeight(c.weakWeight.data());
    matrix.multiply(c.x.data(), c.batch, after.data());
    copy.multiply(c.x.data(), c.batch, kept.data());
    PackedMatrix(c.packed()).multiply(c.x.data(), c.batch, expected.data());
    EXPECT_EQ(after, expected);
    EXPECT_EQ(kept, before);
    EXPECT_NE(after, before);
}

TEST(PackedMatrix, WithoutBiasAndWeakColumns) {
    MatvecCase m(10, 64, 4, 0, 1, 8);
    std::vector<float> with(10), without(10);
    PackedWeight weight = m.packed();
    PackedMatrix(weight).multiply(m.x.data(), 1, with.data());
    weight.bias = nullptr;
    const PackedMatrix plain(weight);
    plain.multiply(m.x.data(), 1, without.data());
    EXPECT_FALSE(plain.hasBias());
    for (size_t r = 0; r < 10; ++r) EXPECT_NEAR(with[r] - without[r], m.bias[r], 1e-5);
}

TEST(PackedMatrix, RefusesWhatItCannotHold) {
    const MatvecCase m(10, 64, 4, 0, 1, 8);
    PackedWeight weight = m.packed();
    weight.bits = 5;
    EXPECT_THROW(PackedMatrix{weight}, std::invalid_argument);
    weight = m.packed();
    weight.groupSize = 48;
    EXPECT_THROW(PackedMatrix{weight}, std::invalid_argument);
}

}  // namespace
}  // namespace owq::kernels
