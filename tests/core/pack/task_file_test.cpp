// SPDX-License-Identifier: Apache-2.0
#include "core/pack/task_file.h"

#include <gmock/gmock.h>

#include <cmath>

#include "core/base/error.h"
#include "core/base/file.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

using ::testing::HasSubstr;

QuantizedLinear linear() {
    QuantizedLinear q;
    q.rows = 2, q.columns = 4;
    q.codes = {0, 1, 2, 3, 4, 5, 6, 7};
    q.scale = {0.5f, 0.25f}, q.zero = {1, 2};
    q.weakColumns = {1, 3};
    q.weakWeight = {0.1f, 0.2f, 0.3f, 0.4f};
    return q;
}

Task task(DType type = DType::f16) {
    Task t;
    t.about = {{"model", "m"}};
    t.linears["a"] = {2, {1, 3}, {0.5f, -1, 2, 3.25f}, type, frozenHash(linear())};
    return t;
}

class TaskFile : public ::testing::Test {
protected:
    std::string refusal(const NamedTensors& tensors, const Metadata& metadata) {
        writeSafetensors(folder / "bad", tensors, metadata);
        try {
            readTask(folder / "bad");
        } catch (const Error& error) {
            return error.what();
        }
        return "not refused";
    }
    TemporaryFolder folder;
};

TEST_F(TaskFile, ComesBackAsItWasWritten) {
    for (const DType type : {DType::f16, DType::bf16, DType::f32}) {
        const Task written = task(type);
        writeTask(folder / "t", written);
        const Task back = readTask(folder / "t");
        ASSERT_EQ(back.linears.size(), 1u);
        const TaskLinear &is = back.linears.at("a"), &was = written.linears.at("a");
        EXPECT_EQ(is.columns, was.columns);
        EXPECT_EQ(is.weight, was.weight);
        EXPECT_EQ(is.type, type);
        EXPECT_EQ(is.frozen, was.frozen);
        EXPECT_EQ(back.about, task().about);
    }
}

TEST_F(TaskFile, IsBoundToCodesZerosAndColumnsButNotToWhatIsTunedOrRounded) {
    const std::string hash = frozenHash(linear());
    const auto changed = [](auto change) {
        QuantizedLinear q = linear();
        change(q);
        return frozenHash(q);
    };
    EXPECT_EQ(changed([](auto& q) { q.weakWeight[0] = 9; }), hash);
    EXPECT_EQ(changed([](auto& q) { q.codes[1] = 7; }), hash) << "the slot of a weak column";
    EXPECT_EQ(changed([](auto& q) { q.scale[0] = 0.5001f; }), hash);
    EXPECT_NE(changed([](auto& q) { q.codes[2] = 7; }), hash);
    EXPECT_NE(changed([](auto& q) { q.zero[1] = 3; }), hash);
    EXPECT_NE(changed([](auto& q) { q.weakColumns[0] = 0; }), hash);
    EXPECT_NE(changed([](auto& q) { q.bits = 4; }), hash);
    EXPECT_NE(changed([](auto& q) { q.symmetric = true; }), hash);
    EXPECT_NE(changed([](auto& q) { std::swap(q.rows, q.columns); }), hash);
}

TEST_F(TaskFile, AppliesToItsLinearOnly) {
    QuantizedLinear q = linear(), other = linear();
    applyTask(task(), "a", q, "t");
    EXPECT_EQ(q.weakWeight, task().linears.at("a").weight);
    applyTask(task(), "b", other, "t");
    EXPECT_EQ(other.weakWeight, linear().weakWeight);
    other.codes[0] = 5;
    EXPECT_THROW(applyTask(task(), "a", other, "t"), Error);
}

TEST_F(TaskFile, RefusesWhatIsDamagedByName) {
    const Metadata good{{"format", "owq-task-1"}, {"frozen:a", frozenHash(linear())}};
    const auto columns = Tensor::i32({2}, {1, 3}), weight = Tensor::f32({2, 2}, {1, 2, 3, 4});
    EXPECT_EQ(refusal({{"a.weak_columns", columns}, {"a.weak_weight", weight}}, good), "not refused");
    EXPECT_THAT(refusal({{"a.weak_columns", columns}, {"a.weak_weight", weight}}, {}), HasSubstr("no task"));
    EXPECT_THAT(refusal({{"a.weak_columns", columns}, {"a.weak_weight", weight}}, {{"format", "owq-task-1"}}), HasSubstr("no hash"));
    EXPECT_THAT(refusal({{"a.weak_weight", weight}}, good), HasSubstr("a.weak_columns is missing"));
    EXPECT_THAT(refusal({{"a.weak_columns", columns}}, good), HasSubstr("no weak columns"));
    EXPECT_THAT(refusal({{"a.weak_columns", Tensor::i32({2}, {3, 1})}, {"a.weak_weight", weight}}, good), HasSubstr("not ascending"));
    EXPECT_THAT(refusal({{"a.weak_columns", Tensor::i32({2}, {-1, 1})}, {"a.weak_weight", weight}}, good), HasSubstr("not ascending"));
    EXPECT_THAT(refusal({{"a.weak_columns", Tensor::i32({3}, {0, 1, 2})}, {"a.weak_weight", weight}}, good), HasSubstr("does not fit"));
    EXPECT_THAT(refusal({{"a.weak_columns", columns}, {"a.weak_weight", Tensor::i32({2, 2}, {1, 2, 3, 4})}}, good), HasSubstr("does not fit"));
    EXPECT_THAT(refusal({{"a.weak_columns", columns}, {"a.weak_weight", Tensor::f32({2, 2}, {1, NAN, 3, 4})}}, good), HasSubstr("not finite"));
    EXPECT_THAT(refusal({{"a.weak_columns", columns}, {"a.weak_weight", weight}, {"b", weight}}, good), HasSubstr("does not belong"));
}

}  // namespace
}  // namespace owq
