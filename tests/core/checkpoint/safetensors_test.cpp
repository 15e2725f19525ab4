// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/checkpoint/tensor_file.h"
#include "tests/core/checkpoint/temporary_folder.h"

namespace owq {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Safetensors, RoundTripKeepsOrderNamesAndMetadata) {
    TemporaryFolder folder;
    const auto file = folder.path() / "a.safetensors";
    const Metadata metadata{{"format", "pt"}, {"note", "quote \" and line\nbreak, µ"}};
    writeSafetensors(file, {{"z.weight", Tensor::f32({2, 3}, {1, 2, 3, 4, 5, 6})}, {"odd", Tensor::u8({3}, {7, 8, 9})},
                            {"a \"name\"", Tensor::rounded(DType::bf16, {2}, std::vector<float>{1.5f, -2.0f})},
                            {"empty", Tensor::i32({0, 4}, {})}, {"scalar", Tensor::f32({}, {42})}}, metadata);
    const auto opened = openTensorFile(file);
    EXPECT_EQ(opened->metadata(), metadata);
    std::vector<std::string> names;
    for (const TensorInfo& info : opened->tensors()) names.push_back(info.name);
    EXPECT_THAT(names, ElementsAre("z.weight", "odd", "a \"name\"", "empty", "scalar"));
    EXPECT_THAT(opened->read("z.weight").toFloat(), ElementsAre(1, 2, 3, 4, 5, 6));
    EXPECT_THAT(opened->read("odd").toInteger(), ElementsAre(7, 8, 9));
    EXPECT_THAT(opened->read("a \"name\"").toFloat(), ElementsAre(1.5f, -2.0f));
    EXPECT_EQ(opened->read("empty").shape, (std::vector<int64_t>{0, 4}));
    EXPECT_THAT(opened->read("scalar").toFloat(), ElementsAre(42));
    EXPECT_EQ(opened->find("z.weight")->file, file);
    EXPECT_EQ(opened->find("nothing"), nullptr);
    EXPECT_THROW(opened->read("nothing"), Error);
}

TEST(Safetensors, DataBeginAtEightBytesAndEqualInputGivesEqualBytes) {
    TemporaryFolder folder;
    const NamedTensors tensors{{"w", Tensor::f32({1}, {1})}};
    for (const char* name : {"a", "b"}) writeSafetensors(folder.path() / name, tensors, {{"k", "v"}});
    const std::string bytes = readText(folder.path() / "a");
    EXPECT_EQ(bytes, readText(folder.path() / "b"));
    EXPECT_EQ((bytes.size() - 4) % 8, 0u);
    EXPECT_EQ(bytes[8], '{');
}

TEST(Safetensors, TensorsOutliveTheFileObject) {
    TemporaryFolder folder;
    const auto file = folder.path() / "a.safetensors";
    writeSafetensors(file, {{"w", Tensor::f32({2}, {3, 4})}});
    Tensor w = openSafetensors(file)->read("w");
    std::filesystem::remove(file);
    EXPECT_THAT(w.toFloat(), ElementsAre(3, 4));
}

TEST(Safetensors, WriterRefusesWhatReadersWould) {
    TemporaryFolder folder;
    const auto file = folder.path() / "a.safetensors";
    const Tensor t = Tensor::f32({1}, {1});
    EXPECT_THROW(writeSafetensors(file, {{"w", t}, {"w", t}}), Error);
    EXPECT_THROW(writeSafetensors(file, {{"__metadata__", t}}), Error);
    EXPECT_THROW(writeSafetensors(file, {{"\xff", t}}), Error);
    EXPECT_THROW(writeSafetensors(folder.path() / "no" / "folder", {{"w", t}}), Error);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Safetensors, ManyTensorsStayLinear) {
    TemporaryFolder folder;
    NamedTensors tensors;
    for (int i = 0; i < 50000; ++i) tensors.emplace_back("model.layers." + std::to_string(i) + ".weight", Tensor::u8({1}, {uint8_t(i)}));
    writeSafetensors(folder.path() / "many", tensors);
    const auto opened = openTensorFile(folder.path() / "many");
    ASSERT_EQ(opened->tensors().size(), 50000u);
    EXPECT_THAT(opened->read("model.layers.49999.weight").toInteger(), ElementsAre(uint8_t(49999 & 255)));
}

TEST(Safetensors, TruncationAnywhereIsRefused) {
    TemporaryFolder folder;
    writeSafetensors(folder.path() / "a.safetensors", {{"w", Tensor::f32({2, 2}, {1, 2, 3, 4})}, {"b", Tensor::u8({2}, {1, 2})}});
    const std::string bytes = readText(folder.path() / "a.safetensors");
    for (size_t n = 0; n < bytes.size(); ++n) {
        writeQuickly(folder.path() / "cut.safetensors", bytes.substr(0, n));
        EXPECT_THROW(openTensorFile(folder.path() / "cut.safetensors"), Error) << n;
    }
}

}  // namespace
}  // namespace owq
