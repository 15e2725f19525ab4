// SPDX-License-Identifier: Apache-2.0
// Every input that a fuzzer kept (tests/data/fuzz), and the hostile files, through its target: it must come back.
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/base/json.h"
#include "tests/fuzz/targets.h"

namespace owq::fuzz {
namespace {

namespace fs = std::filesystem;
const fs::path kData = OWQ_TEST_DATA;

/// tests/fuzz/corpus.py: each input behind its length in four bytes.
std::vector<std::string> kept(const Target& target) {
    const std::string all = readText(kData / "fuzz" / (std::string(target.name) + ".corpus"));
    std::vector<std::string> inputs;
    for (size_t at = 0; at < all.size();) {
        uint32_t size = 0;
        std::memcpy(&size, &all.at(at), sizeof size);
        inputs.push_back(all.substr(at + sizeof size, size));
        at += sizeof size + size;
    }
    return inputs;
}

std::vector<std::string> hostile(const Target& target) {
    std::vector<std::string> inputs;
    const Json index = readJson(kData / "hostile" / "index.json");
    for (const Json& one : index.at("cases")) {
        if (!target.hostileKind || one.at("kind") != target.hostileKind) continue;
        for (const auto& [name, stored] : one.at("files").items())
            if (!target.hostileFile || name == target.hostileFile) inputs.push_back(readText(kData / "hostile" / stored.get<std::string>()));
    }
    return inputs;
}

class Replay : public ::testing::TestWithParam<Target> {};

TEST_P(Replay, ComesBackFromEveryInput) {
    std::vector<std::string> inputs = kept(GetParam());
    EXPECT_FALSE(inputs.empty());
    for (std::string& input : hostile(GetParam())) inputs.push_back(std::move(input));
    for (const std::string& input : inputs) {
        const auto bytes = std::as_bytes(std::span(input));
        GetParam().run(bytes);
        GetParam().run(bytes.first(bytes.size() / 2));  // as a broken download leaves it
    }
}

INSTANTIATE_TEST_SUITE_P(Targets, Replay, ::testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace owq::fuzz
