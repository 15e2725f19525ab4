// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"

namespace owq {

/// tokenizer.json's "normalizer": what happens to a text before it is cut. Immutable.
class Normalizer {
public:
    Normalizer() = default;  ///< leaves texts as they are
    /// Known: Sequence, NFC, NFD, NFKC, NFKD, Lowercase, Strip, Prepend, Replace. Error naming any other one.
    Normalizer(const Json& json, const std::string& where);

    bool empty() const { return steps_.empty(); }
    /// Error when the text would grow out of proportion.
    std::string operator()(std::string_view utf8) const;

private:
    std::vector<std::function<std::string(const std::string&)>> steps_;
};

}  // namespace owq
