// SPDX-License-Identifier: Apache-2.0
#include "core/pack/layer_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/checkpoint/tensor_file.h"

namespace owq {
namespace {

LinearOutcome outcome() {
    LinearOutcome o;
    o.weight.rows = 2, o.weight.columns = 5, o.weight.bits = 3, o.weight.groupSize = 3;
    o.weight.codes = {0, 1, 2, 3, 7, 7, 6, 5, 4, 3};
    o.weight.scale = {0.1f, 1e-8f, 3.5f, 0.25f};
    o.weight.zero = {0, 3, 7, 4};
    o.weight.weakColumns = {1, 4};
    o.weight.weakWeight = {0.5f, -1.25f, 2.0f, 0.0f};
    o.statistics.hessianDiagonal = {1, 2, 3, 4, 1.0f / 3};
    o.statistics.columnLoss = {0.5f, 0.25f, 0.125f};
    o.statistics.order = {0, 2, 3, 4, 1};
    o.statistics.tokens = 65536;
    o.error = 1.0 / 3.0;
    o.damping = 0.01;
    o.notes = {"damping was raised: \"dead\" inputs", "second"};
    return o;
}

class LayerFile : public testing::Test {
protected:
    void SetUp() override {
        file = std::filesystem::path(testing::TempDir()) /
               (std::string("layer-") + testing::UnitTest::GetInstance()->current_test_info()->name() +
                ".safetensors");
    }
    void TearDown() override { std::filesystem::remove(file); }
    std::filesystem::path file;
};

TEST_F(LayerFile, EverythingButSecondsComesBack) {
    const LinearOutcome o = outcome();
    writeLayerFile(file, "model.layers.0.fc1", o, DType::f16);
    const LinearOutcome back = readLayerFile(file);
    EXPECT_EQ(back.weight.codes, o.weight.codes);
    EXPECT_EQ(back.weight.scale, o.weight.scale);
    EXPECT_EQ(back.weight.zero, o.weight.zero);
    EXPECT_EQ(back.weight.weakColumns, o.weight.weakColumns);
    EXPECT_EQ(back.weight.weakWeight, o.weight.weakWeight);
    EXPECT_EQ(back.weight.groupSize, 3);
    EXPECT_FALSE(back.weight.symmetric);
    EXPECT_EQ(back.statistics.hessianDiagonal, o.statistics.hessianDiagonal);
    EXPECT_EQ(back.statistics.columnLoss, o.statistics.columnLoss);
    EXPECT_EQ(back.statistics.order, o.statistics.order);
    EXPECT_TRUE(back.statistics.sensitivity.empty());
    EXPECT_EQ(back.statistics.tokens, 65536);
    EXPECT_EQ(back.error, o.error);
    EXPECT_EQ(back.damping, o.damping);
    EXPECT_EQ(back.notes, o.notes);
}

TEST_F(LayerFile, ShapeIsReadFromTheHeader) {
    LinearOutcome o = outcome();
    o.weight.codes[0] = 200;  // damage that only the data shows
    writeLayerFile(file, "a", o, DType::f16);
    const LinearShape shape = readLayerShape(file);
    EXPECT_EQ(shape.rows, 2);
    EXPECT_EQ(shape.columns, 5);
    EXPECT_EQ(shape.bits, 3);
    EXPECT_EQ(shape.weakColumns, 2);
    EXPECT_EQ(shape.groupSize, 3);
    EXPECT_FALSE(shape.symmetric);
    EXPECT_THROW(readLayerFile(file), Error);

    o.weight.bits = 9;
    writeLayerFile(file, "a", o, DType::f16);
    EXPECT_THROW(readLayerShape(file), Error);
    writeSafetensors(file, {{"codes", Tensor::u8({1, 2}, {0, 1})}});
    EXPECT_THROW(readLayerShape(file), Error);
    writeSafetensors(file, {{"codes", Tensor::u8({2}, {0, 1})}, {"weak_columns", Tensor::i32({0}, {})}}, {{"bits", "3"}});
    EXPECT_THROW(readLayerShape(file), Error);
    writeSafetensors(file, {{"codes", Tensor::u8({1, 2}, {0, 1})}, {"weak_columns", Tensor::i32({3}, {0, 1, 2})}}, {{"bits", "3"}});
    EXPECT_THROW(readLayerShape(file), Error);
}

TEST_F(LayerFile, EqualOutcomesGiveEqualBytes) {
    writeLayerFile(file, "a", outcome(), DType::f16);
    const std::string first = readText(file);
    writeLayerFile(file, "a", outcome(), DType::f16);
    EXPECT_EQ(readText(file), first);
}

TEST_F(LayerFile, DamageIsNamed) {
    const auto refused = [&](auto change) -> std::string {
        LinearOutcome o = outcome();
        change(o);
        writeLayerFile(file, "a", o, DType::f16);
        try {
            readLayerFile(file);
        } catch (const Error& e) {
            EXPECT_EQ(e.where(), file.string());
            return e.what();
        }
        return "no error";
    };
    using testing::HasSubstr;
    EXPECT_THAT(refused([](auto& o) { o.weight.codes[0] = 8; }), HasSubstr("codes"));
    EXPECT_THAT(refused([](auto& o) { o.weight.zero[0] = 8; }), HasSubstr("zero"));
    EXPECT_THAT(refused([](auto& o) { o.weight.scale[0] = 1.0f / 0.0f; }), HasSubstr("scale"));
    EXPECT_THAT(refused([](auto& o) { o.weight.weakColumns = {1, 5}; }), HasSubstr("weak_columns"));
    EXPECT_THAT(refused([](auto& o) { o.weight.bits = 9; }), HasSubstr("bits"));
    EXPECT_THAT(refused([](auto& o) { o.statistics.order.pop_back(); }), HasSubstr("order"));
}

TEST_F(LayerFile, ACutOrForeignFileIsRefused) {
    writeLayerFile(file, "a", outcome(), DType::f16);
    const std::string whole = readText(file);
    writeText(file, whole.substr(0, whole.size() - 3));
    EXPECT_THROW(readLayerFile(file), Error);
    writeSafetensors(file, {{"codes", Tensor::u8({1, 2}, {0, 1})}});
    EXPECT_THROW(readLayerFile(file), Error);
}

}  // namespace
}  // namespace owq
