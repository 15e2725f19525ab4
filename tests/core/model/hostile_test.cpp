// SPDX-License-Identifier: Apache-2.0
// Model folders with wrong configurations or tensors (tests/data/hostile): each is refused with a message, or
// opened.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/core/model/model_test_data.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
const fs::path kHostile = fs::path(OWQ_TEST_DATA) / "hostile";

/// Cases that open a whole model folder; empty until the data are there.
std::vector<Json> cases() {
    if (!fs::exists(kHostile / "index.json")) return {};
    std::vector<Json> found;
    const Json index = readJson(kHostile / "index.json");
    for (const Json& one : index.at("cases"))
        if (one.at("kind") == "model_dir") found.push_back(one);
    return found;
}

class HostileModel : public ::testing::TestWithParam<Json> {
protected:
    void SetUp() override {
        folder = fs::temp_directory_path() /
                 ("owq_hostile_" + GetParam().at("id").get<std::string>() + std::to_string(::getpid()));
        fs::create_directories(folder);
        for (const auto& [name, stored] : GetParam().at("files").items())
            fs::copy_file(kHostile / stored.get<std::string>(), folder / name);
    }
    void TearDown() override { fs::remove_all(folder); }
    fs::path folder;
};

TEST_P(HostileModel, IsOpenedOrRefusedAsItShould) {
    const std::string expected = GetParam().at("expect").get<std::string>();
    identify(folder);  // never throws
    std::shared_ptr<const ModelSource> source;
    try {
        source = ModelSource::open(folder);
    } catch (const Error& error) {
        EXPECT_NE(expected, "accept") << error.what();
        EXPECT_GT(std::string(error.what()).size(), 20u);
        return;
    }
    ASSERT_NE(expected, "reject") << GetParam().at("why");

    const Json nonfinite = GetParam().value("nonfinite", Json::array());
    const bool golden = GetParam().contains("logits") && GetParam().at("logits").is_object();
    const std::vector<int64_t> input = golden ? GetParam().at("logits").at("ids").get<std::vector<int64_t>>()
                                              : std::vector<int64_t>{3, 17, 5, 40};
    const at::Tensor tokens = at::from_blob(const_cast<int64_t*>(input.data()), {1, int64_t(input.size())},
                                            at::TensorOptions(at::kLong));
    if (!nonfinite.empty()) {
        const std::string tensor = nonfinite.at(0).at("tensor").get<std::string>();
        try {
            const LanguageModel model(source);
            const at::Tensor logits = model.forward(tokens);
            // An embedding row that the text does not use does no harm.
            EXPECT_NE(tensor.find("embed"), std::string::npos);
        } catch (const Error& error) {
            EXPECT_NE(std::string(error.what()).find(tensor), std::string::npos) << error.what();
        }
        return;
    }
    const at::Tensor logits = LanguageModel(source).forward(tokens);
    EXPECT_TRUE(std::isfinite(logits.abs().max().item<float>()));
    if (!golden) return;
    const Json& rows = GetParam().at("logits").at("logits");
    for (int64_t t = 0; t < logits.size(1); ++t)
        for (int64_t v = 0; v < logits.size(2); ++v)
            ASSERT_NEAR((logits.data_ptr<float>()[t * logits.size(2) + v]),
                        rows.at(size_t(t)).at(size_t(v)).get<double>(), 1e-4);
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(HostileModel);
INSTANTIATE_TEST_SUITE_P(Cases, HostileModel, ::testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.at("id").template get<std::string>(); });

}  // namespace
}  // namespace owq
