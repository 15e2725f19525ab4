// SPDX-License-Identifier: Apache-2.0
// Tiny models of six families, block by block, in each spelling of their configuration (tests/data/golden_families).
#include <ATen/ops/log_softmax.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/model/family.h"
#include "tests/core/model/model_test_data.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
const fs::path kFamilies = fs::path(OWQ_TEST_DATA) / "golden_families";

struct FamilyCase {
    Json model;
    std::string config;
};

std::vector<FamilyCase> cases() {
    std::vector<FamilyCase> found;
    const Json index = readJson(kFamilies / "index.json");
    for (const Json& model : index.at("models")) {
        found.push_back({model, model.at("config")});
        for (const Json& other : model.at("config_alternatives")) found.push_back({model, other});
    }
    return found;
}

at::Tensor floats(const fs::path& file, std::vector<int64_t> shape) {
    std::vector<float> values(size_t(fs::file_size(file)) / 4);
    std::ifstream(file, std::ios::binary)
        .read(reinterpret_cast<char*>(values.data()), std::streamsize(values.size() * 4));
    return at::from_blob(values.data(), shape, at::TensorOptions(at::kFloat)).clone();
}

class Families : public ::testing::TestWithParam<FamilyCase> {
protected:
    void SetUp() override {
        folder = fs::temp_directory_path() /
                 ("owq_family_" + std::to_string(::getpid()) + "_" + GetParam().config);
        fs::create_directories(folder);
        const fs::path from = kFamilies / GetParam().model.at("dir").get<std::string>();
        for (const auto& entry : fs::directory_iterator(from))
            if (entry.path().extension() != ".f32" &&
                entry.path().filename().string().find("config") == std::string::npos)
                fs::create_symlink(fs::canonical(entry.path()), folder / entry.path().filename());
        fs::copy_file(from / GetParam().config, folder / "config.json");
        dir = from;
    }
    void TearDown() override { fs::remove_all(folder); }
    fs::path folder, dir;
};

TEST_P(Families, MatchesRecordedBlocksLogitsAndLinears) {
    const Json& golden = GetParam().model;
    const LanguageModel model(ModelSource::open(folder));
    std::vector<int64_t> flat;
    for (const Json& sequence : golden.at("sequences"))
        for (const Json& id : sequence) flat.push_back(id.get<int64_t>());
    const int64_t n = int64_t(golden.at("sequences").size());
    const at::Tensor input =
        at::from_blob(flat.data(), {n, int64_t(flat.size()) / n}, at::TensorOptions(at::kLong));
    const double tolerance = golden.at("tolerance").at("logits_abs").get<double>();

    const at::Tensor states = floats(dir / golden.at("block_states").at("file").get<std::string>(),
                                     golden.at("block_states").at("shape").get<std::vector<int64_t>>());
    at::Tensor hidden = model.embed(input);
    EXPECT_LT(testing::distance(hidden, states.select(0, 0)), tolerance) << "embedding";
    for (int b = 0; b < model.info().blocks; ++b) {
        hidden = model.loadBlock(b).forward(hidden);
        ASSERT_LT(testing::distance(hidden, states.select(0, b + 1)), tolerance) << "block " << b;
    }
    const at::Tensor logits = floats(dir / golden.at("logits").at("file").get<std::string>(),
                                     golden.at("logits").at("shape").get<std::vector<int64_t>>());
    const double d = testing::distance(model.head(model.finalNorm(hidden)), logits);
    RecordProperty("logits_max_difference", std::to_string(d));
    EXPECT_LT(d, tolerance);

    std::map<std::pair<int, int>, std::string> groups;
    size_t quantizable = 0;
    for (const Json& linear : golden.at("linears")) {
        if (!linear.at("quantizable").get<bool>()) continue;
        ++quantizable;
        // The files of a base model leave a prefix out.
        std::string name = linear.at("name").get<std::string>();
        const std::string prefix = golden.at("name_prefix_stripped").is_null() ? "" : golden.at("name_prefix_stripped").get<std::string>();
        if (name.starts_with(prefix)) name.erase(0, prefix.size());
        const LinearInfo* info = model.info().find(name);
        ASSERT_NE(info, nullptr) << linear.at("name");
        EXPECT_EQ((std::vector{info->rows, info->columns}), linear.at("out_in").get<std::vector<int64_t>>());
        EXPECT_EQ(info->bias, linear.at("bias").get<bool>());
        const auto [group, isNew] = groups.try_emplace(
            {linear.at("layer").get<int>(), linear.at("input_group").get<int>()}, info->inputGroup);
        EXPECT_EQ(group->second, info->inputGroup) << info->name;
    }
    EXPECT_EQ(quantizable, model.info().linears.size());
}

TEST_P(Families, MatchesRecordedLosses) {
    const Json& golden = GetParam().model.at("perplexity");
    const LanguageModel model(ModelSource::open(folder));
    const std::vector<int64_t> all = golden.at("ids").get<std::vector<int64_t>>();
    const int64_t length = golden.at("seqlen").get<int64_t>(), windows = golden.at("windows").get<int64_t>();
    const at::Tensor input = at::from_blob(const_cast<int64_t*>(all.data()), {windows, length}, at::TensorOptions(at::kLong));
    const at::Tensor logits = model.forward(input).narrow(1, 0, length - 1).to(at::kDouble);
    const at::Tensor next = input.narrow(1, 1, length - 1).unsqueeze(2);
    const double nll = -at::log_softmax(logits, -1).gather(2, next).sum().item<double>();
    EXPECT_NEAR(nll, golden.at("nll_total").get<double>(), GetParam().model.at("tolerance").at("nll_total_abs").get<double>());
}

INSTANTIATE_TEST_SUITE_P(Recorded, Families, ::testing::ValuesIn(cases()), [](const auto& info) {
    std::string name = info.param.model.at("name").template get<std::string>() + "_" + info.param.config;
    for (char& c : name)
        if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
    return name;
});

}  // namespace
}  // namespace owq
