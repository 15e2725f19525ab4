// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/blind_tally.h"

#include <random>

#include "core/base/file.h"
#include "core/base/sign_test.h"

namespace owq {
namespace {

namespace fs = std::filesystem;

void checkFolder(const fs::path& folder, const std::string& a, const std::string& b) {
    const fs::path file = folder / "judge.json";
    if (!fs::exists(folder) || (fs::is_directory(folder) && fs::is_empty(folder))) return;
    if (!fs::exists(file)) throw Error("the folder holds other files", folder.string(), "Choose a new folder.");
    const Json there = readJson(file);
    if (optional<std::string>(there, "a", "", file.string()) != a || optional<std::string>(there, "b", "", file.string()) != b ||
        !optional<bool>(there, "blind", false, file.string()))
        throw Error("the folder holds other verdicts", folder.string(), "Choose a new folder.");
}

const char* nameOf(BlindTally::Verdict verdict) {
    return verdict == BlindTally::Verdict::left ? "first" : verdict == BlindTally::Verdict::right ? "second" : "tie";
}

}  // namespace

bool BlindTally::swapped(uint64_t seed, uint64_t number, const std::string& prompt) {
    std::vector<uint32_t> words{uint32_t(seed), uint32_t(seed >> 32), uint32_t(number)};
    for (const char c : prompt) words.push_back(static_cast<unsigned char>(c));
    std::seed_seq sequence(words.begin(), words.end());
    return std::mt19937(sequence)() >> 31;
}

void BlindTally::add(Comparison c) {
    const bool aBetter = c.verdict == (c.swapped ? Verdict::right : Verdict::left);
    ++(c.verdict == Verdict::equal ? ties_ : aBetter ? wins_ : losses_);
    comparisons_.push_back(std::move(c));
}

double BlindTally::signTest() const {
    return owq::signTest(wins_, wins_ + losses_);
}

void BlindTally::write(const fs::path& folder) const {
    checkFolder(folder, a_, b_);
    std::error_code error;
    fs::create_directories(folder, error);
    if (error) throw Error("could not be created (" + error.message() + ")", folder.string(), "Choose another place.");
    std::string answers, comparisons, verdicts;
    for (size_t i = 0; i < comparisons_.size(); ++i) {
        const Comparison& c = comparisons_[i];
        const std::string id = std::to_string(i + 1), name = id + (c.swapped ? "/2" : "/1");
        answers += Json{{"id", id}, {"prompt", c.prompt}, {"a", c.swapped ? c.right : c.left}, {"b", c.swapped ? c.left : c.right}, {"settings", c.settings}}.dump() + "\n";
        comparisons += Json{{"comparison", name}, {"prompt", c.prompt}, {"first", c.left}, {"second", c.right}}.dump() + "\n";
        verdicts += Json{{"comparison", name}, {"verdict", nameOf(c.verdict)}}.dump() + "\n";
    }
    writeJson(folder / "judge.json", {{"schema", 1}, {"blind", true}, {"a", a_}, {"b", b_}});
    writeText(folder / "answers.jsonl", answers);
    writeText(folder / "comparisons.jsonl", comparisons);
    writeText(folder / "verdicts.jsonl", verdicts);
}

}  // namespace owq
