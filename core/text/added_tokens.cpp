// SPDX-License-Identifier: Apache-2.0
#include "core/text/added_tokens.h"

#include <algorithm>

#include "core/text/unicode.h"
#include "core/text/utf8.h"

namespace owq {
void AddedTokens::add(AddedToken token) {
    if (token.content.empty()) return;
    const auto [it, isNew] = byContent_.emplace(token.content, tokens_.size());
    byId_[token.id] = it->second;
    if (!isNew) {
        tokens_[it->second] = std::move(token);
        return;
    }
    auto& row = byFirstByte_[uint8_t(token.content[0])];
    const auto place = std::upper_bound(row.begin(), row.end(), token.content.size(),
                                        [&](size_t size, size_t i) { return size > tokens_[i].content.size(); });
    row.insert(place, tokens_.size());
    tokens_.push_back(std::move(token));
}

const AddedToken* AddedTokens::byId(int32_t id) const {
    const auto it = byId_.find(id);
    return it == byId_.end() ? nullptr : &tokens_[it->second];
}

const AddedToken* AddedTokens::byContent(std::string_view content) const {
    const auto it = byContent_.find(std::string(content));
    return it == byContent_.end() ? nullptr : &tokens_[it->second];
}

const AddedToken* AddedTokens::matchAt(std::string_view text, size_t at) const {
    for (size_t index : byFirstByte_[uint8_t(text[at])]) {
        const AddedToken& token = tokens_[index];
        if (text.compare(at, token.content.size(), token.content) != 0) continue;
        const size_t end = at + token.content.size();
        const auto touches = [](Character c) { return isWordCharacter(c.point); };
        if (token.singleWord && ((at > 0 && touches(lastCharacter(text.substr(0, at)))) ||
                                 (end < text.size() && touches(firstCharacter(text.substr(end))))))
            continue;
        return &token;
    }
    return nullptr;
}

void AddedTokens::split(std::string_view text, const std::function<void(std::string_view)>& plain,
                        const std::function<void(const AddedToken&)>& token) const {
    size_t from = 0;
    for (size_t at = 0; at < text.size();) {
        const AddedToken* found = matchAt(text, at);
        if (!found) {
            ++at;
            continue;
        }
        std::string_view before = text.substr(from, at - from);
        if (found->leftStrip)
            while (const size_t space = trailingSpace(before)) before.remove_suffix(space);
        if (!before.empty()) plain(before);
        token(*found);
        at += found->content.size();
        if (found->rightStrip)
            while (const size_t space = leadingSpace(text.substr(at))) at += space;
        from = at;
    }
    if (from < text.size()) plain(text.substr(from));
}

}  // namespace owq
