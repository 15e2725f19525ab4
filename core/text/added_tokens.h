// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace owq {

/// A token that is matched in the text before anything else.
struct AddedToken {
    int32_t id = -1;
    std::string content;
    bool special = true;      ///< left out by decode(…, skipSpecial)
    bool leftStrip = false;   ///< takes the white space before it
    bool rightStrip = false;  ///< takes the white space behind it
    bool singleWord = false;  ///< only where no letter or digit touches it
    bool normalized = false;  ///< looked for in the normalized text (tokenizer.json with a normalizer)
};

/// The added tokens of one tokenizer; finds them leftmost first, the longest where several begin.
class AddedTokens {
public:
    /// A later token replaces an earlier one of the same content.
    void add(AddedToken token);

    const AddedToken* byId(int32_t id) const;
    const AddedToken* byContent(std::string_view content) const;
    const std::vector<AddedToken>& all() const { return tokens_; }

    /// Cuts the text: `plain` for each non-empty stretch without added tokens, `token` for each one found, in order.
    void split(std::string_view text, const std::function<void(std::string_view)>& plain,
               const std::function<void(const AddedToken&)>& token) const;

private:
    const AddedToken* matchAt(std::string_view text, size_t at) const;
    std::vector<AddedToken> tokens_;
    std::unordered_map<std::string, size_t> byContent_;
    std::unordered_map<int32_t, size_t> byId_;
    std::array<std::vector<size_t>, 256> byFirstByte_;  ///< longest first
};

}  // namespace owq
