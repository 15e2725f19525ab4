// SPDX-License-Identifier: GPL-3.0-or-later
// What a person judged without knowing which model wrote what. Plain: no widget, no event.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace owq {

class BlindTally {
public:
    enum class Verdict { left, equal, right };
    struct Comparison {
        std::string prompt, left, right;  ///< left and right: the answers as they were shown
        bool swapped = false;             ///< model b was on the left
        Verdict verdict = Verdict::equal;
        Json settings;                    ///< of generation
    };

    /// a and b: the models, as the files name them.
    BlindTally(std::string a, std::string b) : a_(std::move(a)), b_(std::move(b)) {}

    /// Whether model b goes to the left in the `number`th round of this pair: a coin that falls the same for the same arguments.
    static bool swapped(uint64_t seed, uint64_t number, const std::string& prompt);

    void add(Comparison comparison);
    size_t size() const { return comparisons_.size(); }
    int64_t wins() const { return wins_; }  ///< of a
    int64_t ties() const { return ties_; }
    int64_t losses() const { return losses_; }
    double signTest() const;  ///< two-sided p of wins against losses, were both models alike

    /// judge.json, answers.jsonl, comparisons.jsonl and verdicts.jsonl as `owq judge` has them, so that `owq judge --out FOLDER --verdicts
    /// FOLDER/verdicts.jsonl` counts them; a prompt has one comparison, NUMBER/1 with a on the left or NUMBER/2 with b. Each file whole or
    /// not at all. Error when the folder holds anything else, or the verdicts on other models.
    void write(const std::filesystem::path& folder) const;

    bool saved() const { return saved_ == comparisons_.size(); }
    void setSaved(size_t comparisons) { saved_ = comparisons; }  ///< so many of the first lie in a folder

private:
    std::string a_, b_;
    std::vector<Comparison> comparisons_;
    int64_t wins_ = 0, ties_ = 0, losses_ = 0;
    size_t saved_ = 0;
};

}  // namespace owq
