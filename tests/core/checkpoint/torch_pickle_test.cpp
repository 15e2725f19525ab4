// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/torch_pickle.h"

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

class AuthorsFile : public testing::TestWithParam<std::string> {};

// Layers of the authors' packed file against the tensors they wrote beside it as safetensors.
TEST_P(AuthorsFile, OpensWithAllItsParts) {
    const std::filesystem::path folder = std::filesystem::path(OWQ_TEST_DATA) / "reference" / GetParam();
    const PickleValue root = readTorchFile(folder / "owq3.05.pth");
    ASSERT_NE(root.find("model_state_dict"), nullptr);
    EXPECT_TRUE(std::get<bool>(root.find("packing")->value));
    EXPECT_EQ(std::get<PickleDType>(root.find("dtype")->value).dtype, DType::f16);
    EXPECT_EQ(std::get<int64_t>(root.find("bits")->value), 3);

    const PickleDict& counts = std::get<PickleDict>(root.find("n_out_dict")->value);
    const PickleValue& state = *root.find("model_state_dict");
    ASSERT_FALSE(counts.empty());
    for (const auto& [name, holder] : counts) {
        ASSERT_TRUE(std::holds_alternative<PickleNamespace>(holder.value)) << name;
        const int64_t weak = std::get<int64_t>(holder.find("n_out")->value);
        const Tensor& qweight = std::get<Tensor>(state.find(name + ".qweight")->value);
        EXPECT_EQ(qweight.dtype, DType::i32);
        const Tensor& ids = std::get<Tensor>(state.find(name + ".outlieridx")->value);
        EXPECT_EQ(ids.count(), weak) << name;
    }
    const auto file = openTensorFile(folder / "owq3.05.pth");
    EXPECT_EQ(file->tensors().size(), std::get<PickleDict>(state.value).size());
    EXPECT_EQ(file->read(counts[0].key + ".qweight").shape, std::get<Tensor>(state.find(counts[0].key + ".qweight")->value).shape);
}

TEST_P(AuthorsFile, SurvivesWritingAndReading) {
    TemporaryFolder folder;
    const PickleValue root = readTorchFile(std::filesystem::path(OWQ_TEST_DATA) / "reference" / GetParam() / "owq3.05.pth");
    writeTorchFile(folder.path() / "copy.pth", root);
    const PickleValue copy = readTorchFile(folder.path() / "copy.pth");
    const PickleDict& before = std::get<PickleDict>(root.find("model_state_dict")->value);
    const PickleDict& after = std::get<PickleDict>(copy.find("model_state_dict")->value);
    ASSERT_EQ(before.size(), after.size());
    for (size_t i = 0; i < before.size(); ++i) {
        const Tensor &a = std::get<Tensor>(before[i].value.value), &b = std::get<Tensor>(after[i].value.value);
        EXPECT_EQ(before[i].key, after[i].key);
        EXPECT_EQ(a.dtype, b.dtype);
        EXPECT_EQ(a.shape, b.shape);
        EXPECT_EQ(std::string_view((const char*)a.data, a.bytes()), std::string_view((const char*)b.data, b.bytes())) << before[i].key;
        if (b.bytes() > 0) {
            EXPECT_EQ(reinterpret_cast<uintptr_t>(b.data) % 64, 0u);
        }
    }
    EXPECT_EQ(std::get<PickleDType>(copy.find("dtype")->value).dtype, DType::f16);
    EXPECT_EQ(std::get<PickleDict>(copy.find("n_out_dict")->value).size(), std::get<PickleDict>(root.find("n_out_dict")->value).size());
}

INSTANTIATE_TEST_SUITE_P(Models, AuthorsFile, testing::Values("opt", "llama"), [](const auto& info) { return info.param; });

TEST(TorchPickle, EveryKindOfValueSurvives) {
    TemporaryFolder folder;
    const auto file = folder.path() / "a.pth";
    const Tensor shared = Tensor::f32({2, 2}, {1, 2, 3, 4});
    PickleValue root{PickleDict{
        {"none", {}}, {"yes", {true}}, {"no", {false}}, {"small", {int64_t(255)}}, {"middle", {int64_t(-70000)}},
        {"large", {int64_t(1) << 40}}, {"least", {INT64_MIN}}, {"real", {0.1}}, {"text", {std::string("µ \n")}},
        {"list", {std::vector<PickleValue>{{int64_t(1)}, {std::string("two")}}}},
        {"space", {PickleNamespace{{{"n_out", {int64_t(6)}}}}}}, {"dtype", {PickleDType{DType::bf16}}},
        {"a", {shared}}, {"b", {shared}}, {"scalar", {Tensor::u8({}, {9})}}, {"hollow", {Tensor::f32({0}, {})}}}};
    writeTorchFile(file, root);
    const PickleValue back = readTorchFile(file);
    EXPECT_TRUE(std::holds_alternative<std::monostate>(back.find("none")->value));
    EXPECT_TRUE(std::get<bool>(back.find("yes")->value));
    EXPECT_FALSE(std::get<bool>(back.find("no")->value));
    EXPECT_EQ(std::get<int64_t>(back.find("small")->value), 255);
    EXPECT_EQ(std::get<int64_t>(back.find("middle")->value), -70000);
    EXPECT_EQ(std::get<int64_t>(back.find("large")->value), int64_t(1) << 40);
    EXPECT_EQ(std::get<int64_t>(back.find("least")->value), INT64_MIN);
    EXPECT_EQ(std::get<double>(back.find("real")->value), 0.1);
    EXPECT_EQ(std::get<std::string>(back.find("text")->value), "µ \n");
    EXPECT_EQ(std::get<std::string>(std::get<std::vector<PickleValue>>(back.find("list")->value)[1].value), "two");
    EXPECT_EQ(std::get<int64_t>(back.find("space")->find("n_out")->value), 6);
    EXPECT_EQ(std::get<PickleDType>(back.find("dtype")->value).dtype, DType::bf16);
    EXPECT_THAT(std::get<Tensor>(back.find("b")->value).toFloat(), ElementsAre(1, 2, 3, 4));
    EXPECT_EQ(std::get<Tensor>(back.find("a")->value).data, std::get<Tensor>(back.find("b")->value).data);
    EXPECT_THAT(std::get<Tensor>(back.find("scalar")->value).toInteger(), ElementsAre(9));
    EXPECT_EQ(std::get<Tensor>(back.find("hollow")->value).shape, (std::vector<int64_t>{0}));
    EXPECT_EQ(back.find("missing"), nullptr);
    writeTorchFile(folder.path() / "b.pth", root);
    EXPECT_EQ(readText(file), readText(folder.path() / "b.pth"));
}

TEST(TorchPickle, RefusesWhatTorchCannotHold) {
    TemporaryFolder folder;
    EXPECT_THROW(writeTorchFile(folder.path() / "a", {PickleDict{{"w", {Tensor::from(DType::u64, {1}, std::vector<uint64_t>{1})}}}}), Error);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(TorchPickle, BombsAndCyclesAreRefusedByTheTreeToo) {
    for (const char* name : {"pk_pkl_deep", "pk_pkl_doubling", "pk_pkl_self_list", "pk_evil_os_system", "pk_key_not_string"})
        EXPECT_THROW(readTorchFile(std::filesystem::path(OWQ_TEST_DATA) / "hostile/pickle" / (std::string(name) + ".bin")), Error) << name;
}

TEST(TorchPickle, TruncationAnywhereIsRefused) {
    TemporaryFolder folder;
    writeTorchFile(folder.path() / "a.pth", {PickleDict{{"w", {Tensor::f32({2}, {1, 2})}}}});
    const std::string bytes = readText(folder.path() / "a.pth");
    for (size_t n = 0; n < bytes.size(); ++n) {
        writeQuickly(folder.path() / "cut.pth", bytes.substr(0, n));
        EXPECT_THROW(openTensorFile(folder.path() / "cut.pth"), Error) << n;
    }
}

// Any byte changed: opened or refused, but no crash and no read outside the file (sanitizers watch).
TEST(TorchPickle, ChangedBytesNeverCrash) {
    TemporaryFolder folder;
    writeTorchFile(folder.path() / "a.pth", {PickleDict{{"w", {Tensor::f32({2, 3}, {1, 2, 3, 4, 5, 6})}}, {"n", {PickleNamespace{{{"k", {int64_t(1)}}}}}}}});
    const std::string good = readText(folder.path() / "a.pth");
    int opened = 0, refused = 0;
    for (size_t i = 0; i < good.size(); ++i)
        for (unsigned char to : {0x00, 0xff, int((unsigned char)good[i]) ^ 1}) {
            std::string bytes = good;
            bytes[i] = char(to);
            writeQuickly(folder.path() / "b.pth", bytes);
            try {
                const PickleValue root = readTorchFile(folder.path() / "b.pth");
                if (const PickleValue* w = root.find("w"); w && std::holds_alternative<Tensor>(w->value))
                    if (std::get<Tensor>(w->value).dtype == DType::f32) std::get<Tensor>(w->value).toFloat();
                ++opened;
            } catch (const Error&) {
                ++refused;
            }
        }
    EXPECT_GT(opened, 0);
    EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace owq
