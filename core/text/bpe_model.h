// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace owq {

/// Byte-pair merges over token ids: a vocabulary and the ranked pairs that grow it.
class BpeModel {
public:
    using Vocabulary = std::vector<std::pair<std::string, int32_t>>;
    using Merges = std::vector<std::pair<std::string, std::string>>;  ///< best first

    /// Throws Error naming `where`: empty vocabulary, an id used twice or out of proportion, a merge whose parts or
    /// result are not in the vocabulary.
    BpeModel(const Vocabulary& vocabulary, const Merges& merges, const std::string& where);

    /// Id of a whole entry, -1 when there is none.
    int32_t find(std::string_view token) const;
    /// Entry of an id, empty where the vocabulary has a gap.
    const std::string& token(int32_t id) const { return tokens_[size_t(id)]; }
    int64_t size() const { return int64_t(tokens_.size()); }  ///< largest id + 1

    /// Merges `symbols` until no ranked pair is left, always the best ranked and leftmost one first; appends to `out`.
    /// O(n log n) in the number of symbols.
    void merge(std::span<const int32_t> symbols, std::vector<int32_t>& out) const;

private:
    struct Merged {
        int32_t rank, id;
    };
    struct Hash {
        using is_transparent = void;
        size_t operator()(std::string_view s) const { return std::hash<std::string_view>()(s); }
    };
    const Merged* pair(int32_t left, int32_t right) const;

    std::vector<std::string> tokens_;
    std::unordered_map<std::string, int32_t, Hash, std::equal_to<>> ids_;
    std::unordered_map<uint64_t, Merged> merges_;  ///< key: left id, right id
};

}  // namespace owq
