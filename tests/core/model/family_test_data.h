// SPDX-License-Identifier: Apache-2.0
// Tiny random models with logits by transformers (tests/data/README.md).
#pragma once
#include <cmath>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace owq::testing {

struct FamilyModel {
    std::string name;
    std::vector<int32_t> ids;
    double nll = 0, tolerance = 0;
    const char* place = "families";
    std::filesystem::path folder() const { return std::filesystem::path(OWQ_TEST_DATA) / place / name; }
    std::vector<float> logits() const {
        std::vector<float> values(size_t(std::filesystem::file_size(folder() / "logits.f32")) / 4);
        std::ifstream(folder() / "logits.f32", std::ios::binary)
            .read(reinterpret_cast<char*>(values.data()), std::streamsize(values.size() * 4));
        return values;
    }
};

inline std::vector<FamilyModel> familyModels() {
    std::vector<FamilyModel> models;
    const Json index = readJson(std::filesystem::path(OWQ_TEST_DATA) / "families" / "index.json");
    for (const Json& one : index)
        models.push_back({one.at("name"), one.at("ids").get<std::vector<int32_t>>(), one.at("nll"), one.at("tolerance")});
    return models;
}

/// Those of families_test.cpp too; without nll and tolerance, which are recorded in another way there.
inline std::vector<FamilyModel> allFamilyModels() {
    std::vector<FamilyModel> models = familyModels();
    const Json index = readJson(std::filesystem::path(OWQ_TEST_DATA) / "golden_families" / "index.json");
    for (const Json& one : index.at("models"))
        models.push_back({one.at("name"), one.at("sequences").at(0).get<std::vector<int32_t>>(), 0, 0, "golden_families"});
    return models;
}

inline void PrintTo(const FamilyModel& model, std::ostream* out) { *out << model.name; }

}  // namespace owq::testing
