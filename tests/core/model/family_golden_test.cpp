// SPDX-License-Identifier: Apache-2.0
// Every family and its variants against transformers, in one pass and step by step.
#include <gmock/gmock.h>
#include <unistd.h>

#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>

#include <map>

#include "core/checkpoint/checkpoint.h"
#include "tests/core/model/family_test_data.h"
#include "tests/core/model/model_test_data.h"

namespace owq {
namespace {

using namespace owq::testing;
namespace fs = std::filesystem;

class FamilyGolden : public ::testing::TestWithParam<FamilyModel> {
protected:
    const LanguageModel model{ModelSource::open(GetParam().folder())};
    const at::Tensor input = idTensor(GetParam().ids.data(), 1, int64_t(GetParam().ids.size()));
};

TEST_P(FamilyGolden, MatchesRecordedLogitsAndLoss) {
    const std::vector<float> recorded = GetParam().logits();
    const int64_t t = input.size(1);
    const at::Tensor expected = at::from_blob(const_cast<float*>(recorded.data()), {1, t, model.info().vocabulary}, at::kFloat);
    const at::Tensor logits = model.forward(input);
    const double d = distance(logits, expected);
    RecordProperty("logits_max_difference", std::to_string(d));
    std::printf("%s: logits within %.2e\n", GetParam().name.c_str(), d);
    EXPECT_LT(d, GetParam().tolerance);
    const at::Tensor next = input.narrow(1, 1, t - 1).unsqueeze(2);
    const double nll = -at::log_softmax(logits.narrow(1, 0, t - 1).to(at::kDouble), -1).gather(2, next).sum().item<double>();
    EXPECT_NEAR(nll, GetParam().nll, 0.01);
}

TEST_P(FamilyGolden, StepByStepEqualsTheWhole) {
    const at::Tensor whole = model.forward(input);
    std::vector<Block> blocks;
    for (int b = 0; b < model.info().blocks; ++b) blocks.push_back(model.loadBlock(b));
    std::vector<KeyValueCache> caches(blocks.size());
    std::vector<at::Tensor> parts;
    int64_t first = 0;
    for (const int64_t count : {9, 1, 1, 12, 1, 16}) {
        at::Tensor hidden = model.embed(input.narrow(1, first, count), first);
        for (size_t b = 0; b < blocks.size(); ++b) hidden = blocks[b].forward(hidden, {}, &caches[b]);
        parts.push_back(model.head(model.finalNorm(hidden)));
        first += count;
    }
    EXPECT_LT(distance(at::cat(parts, 1), whole), GetParam().tolerance);
}

TEST_P(FamilyGolden, ShowsEachSharedInputOnceInTheOrderOfTheLinears) {
    const Block block = model.loadBlock(1);
    const at::Tensor hidden = model.embed(input);
    std::vector<std::string> shown, groups;
    std::map<std::string, int64_t> widths;
    const InputObserver observe = [&](const std::string& group, const at::Tensor& x) {
        shown.push_back(group);
        widths[group] = x.size(1);
    };
    block.forward(hidden, observe);
    for (const LinearInfo& linear : block.linears()) {
        if (groups.empty() || groups.back() != linear.inputGroup) groups.push_back(linear.inputGroup);
        EXPECT_EQ(widths.at(linear.inputGroup), linear.columns) << linear.name;
    }
    EXPECT_EQ(shown, groups);
}

TEST_P(FamilyGolden, RefusesAMissingTensorByName) {
    const fs::path folder = fs::temp_directory_path() / ("owq_missing_" + std::to_string(::getpid()));
    const auto whole = Checkpoint::open(GetParam().folder());
    for (const TensorInfo& left : whole->tensors()) {
        fs::create_directories(folder);
        fs::copy_file(GetParam().folder() / "config.json", folder / "config.json");
        NamedTensors tensors;
        for (const TensorInfo& t : whole->tensors())
            if (t.name != left.name) tensors.emplace_back(t.name, whole->read(t.name));
        writeSafetensors(folder / "model.safetensors", tensors, {});
        try {
            ModelSource::open(folder);
            ADD_FAILURE() << "opened without " << left.name;
        } catch (const Error& error) {
            EXPECT_THAT(std::string(error.what()), ::testing::HasSubstr(left.name));
        }
        fs::remove_all(folder);
    }
}

INSTANTIATE_TEST_SUITE_P(Recorded, FamilyGolden, ::testing::ValuesIn(familyModels()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace owq
