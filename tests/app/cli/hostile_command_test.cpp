// SPDX-License-Identifier: Apache-2.0
// Every hostile file of tests/data/hostile as a person would meet it: owq inspect and owq tokenize show it, or end with exit
// code 1 and a message that names the file.
#include <gmock/gmock.h>

#include "tests/app/cli/program.h"

namespace owq {
namespace {

namespace fs = std::filesystem;

std::vector<Json> cases() {
    const Json index = readJson(fs::path(OWQ_TEST_DATA) / "hostile/index.json");
    return index.at("cases").get<std::vector<Json>>();
}

class HostileCommand : public CliTest, public testing::WithParamInterface<Json> {};

TEST_P(HostileCommand, ShowsOrRefuses) {
    const Json& one = GetParam();
    const std::string kind = one.at("kind"), expected = one.at("expect");
    const fs::path place = folder / "case";
    fs::create_directories(place);
    fs::path last;
    for (const auto& [name, stored] : one.at("files").items()) {
        last = place / name;
        fs::copy_file(fs::path(OWQ_TEST_DATA) / "hostile" / stored.get<std::string>(), last);
    }
    Outcome outcome;
    if (kind == "safetensors" || kind == "pickle") {
        outcome = owq({"inspect", last.string()});
    } else if (kind == "model_dir") {
        outcome = owq({"inspect", place.string()});
    } else {
        const std::string text = one.contains("encode") ? one.at("encode").at(0).at("text").get<std::string>() : "ab";
        outcome = owq({"tokenize", place.string(), "--text", write("text", text).string(), "--no-special"});
    }
    if (expected == "accept") {
        EXPECT_EQ(outcome.code, 0) << outcome.error;
    } else if (expected == "reject") {
        EXPECT_EQ(outcome.code, 1) << one.at("why") << outcome.out;
    } else {
        EXPECT_THAT(outcome.code, testing::AnyOf(0, 1)) << one.at("why");
    }
    if (outcome.code == 1) {
        EXPECT_THAT(outcome.error, testing::HasSubstr(place.string()));
    }
}

INSTANTIATE_TEST_SUITE_P(Cases, HostileCommand, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.at("id").template get<std::string>(); });

}  // namespace
}  // namespace owq
