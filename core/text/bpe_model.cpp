// SPDX-License-Identifier: Apache-2.0
#include "core/text/bpe_model.h"

#include <algorithm>
#include <queue>

#include "core/base/error.h"
#include "core/text/limits.h"

namespace owq {
namespace {

uint64_t key(int32_t left, int32_t right) { return uint64_t(uint32_t(left)) << 32 | uint32_t(right); }

}  // namespace

BpeModel::BpeModel(const Vocabulary& vocabulary, const Merges& merges, const std::string& where) {
    if (vocabulary.empty()) throw Error("the vocabulary is empty", where);
    int64_t largest = 0;
    for (const auto& [token, id] : vocabulary) {
        if (id < 0) throw Error("token \"" + token.substr(0, 80) + "\" has the negative id " + std::to_string(id), where);
        largest = std::max<int64_t>(largest, id);
    }
    // Gaps happen (padding, removed tokens); a table far larger than the vocabulary is damage.
    if (largest >= 4 * int64_t(vocabulary.size()) + limits::kIdGaps)
        throw Error("token id " + std::to_string(largest) + " is out of proportion to " +
                        std::to_string(vocabulary.size()) + " entries", where);
    tokens_.resize(size_t(largest) + 1);
    ids_.reserve(vocabulary.size());
    for (const auto& [token, id] : vocabulary) {
        if (!ids_.emplace(token, id).second) throw Error("token \"" + token.substr(0, 80) + "\" appears twice", where);
        if (!tokens_[size_t(id)].empty() && !token.empty())
            throw Error("id " + std::to_string(id) + " belongs to two tokens", where);
        tokens_[size_t(id)] = token;
    }
    merges_.reserve(merges.size());
    int32_t rank = 0;
    for (const auto& [left, right] : merges) {
        const int32_t a = find(left), b = find(right), joined = find(left + right);
        if (a < 0 || b < 0 || joined < 0)
            throw Error("merge " + std::to_string(rank + 1) + " (\"" + left.substr(0, 80) + "\" \"" + right.substr(0, 80) +
                            "\") needs a token that is not in the vocabulary", where);
        merges_[key(a, b)] = {rank++, joined};
    }
}

int32_t BpeModel::find(std::string_view token) const {
    const auto it = ids_.find(token);
    return it == ids_.end() ? -1 : it->second;
}

const BpeModel::Merged* BpeModel::pair(int32_t left, int32_t right) const {
    const auto it = merges_.find(key(left, right));
    return it == merges_.end() ? nullptr : &it->second;
}

void BpeModel::merge(std::span<const int32_t> symbols, std::vector<int32_t>& out) const {
    struct Node {
        int32_t id, previous, next;
    };
    struct Candidate {
        int32_t rank, at, left, right;  ///< the ids it was made for: stale once either has changed
        bool operator<(const Candidate& other) const {
            return rank != other.rank ? rank > other.rank : at > other.at;  // best on top
        }
    };
    const auto count = int32_t(symbols.size());
    std::vector<Node> nodes(symbols.size());
    for (int32_t i = 0; i < count; ++i) nodes[size_t(i)] = {symbols[size_t(i)], i - 1, i + 1 < count ? i + 1 : -1};

    std::priority_queue<Candidate> queue;
    const auto propose = [&](int32_t at) {
        if (at < 0 || nodes[size_t(at)].next < 0) return;
        const int32_t left = nodes[size_t(at)].id, right = nodes[size_t(nodes[size_t(at)].next)].id;
        if (const Merged* merged = pair(left, right)) queue.push({merged->rank, at, left, right});
    };
    for (int32_t i = 0; i + 1 < count; ++i) propose(i);
    while (!queue.empty()) {
        const Candidate best = queue.top();
        queue.pop();
        Node& left = nodes[size_t(best.at)];
        if (left.id != best.left || left.next < 0 || nodes[size_t(left.next)].id != best.right) continue;
        Node& right = nodes[size_t(left.next)];
        left.id = pair(best.left, best.right)->id;
        left.next = right.next;
        if (right.next >= 0) nodes[size_t(right.next)].previous = best.at;
        right.id = -1;
        propose(left.previous);
        propose(best.at);
    }
    for (int32_t i = 0; i >= 0 && i < count; i = nodes[size_t(i)].next) out.push_back(nodes[size_t(i)].id);
}

}  // namespace owq
