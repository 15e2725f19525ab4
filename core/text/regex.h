// SPDX-License-Identifier: Apache-2.0
// The regular expressions with which tokenizers cut text into words, by PCRE2.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace owq {

/// Immutable, safe to use from several threads. Classes are Unicode's: \p{L}, \p{N}, and \s as White_Space.
class Regex {
public:
    /// Throws Error naming `where` and what is wrong with the pattern.
    Regex(const std::string& pattern, std::string where);

    /// Calls `piece` for each match and for each stretch between matches, in order, and says which it is. `utf8` must be
    /// well-formed. Throws Error when a match needs too many steps.
    void split(std::string_view utf8, const std::function<void(std::string_view text, bool isMatch)>& piece) const;

private:
    struct Program;
    std::shared_ptr<const Program> program_;
    std::string where_;
};

}  // namespace owq
