// SPDX-License-Identifier: Apache-2.0
#include "core/base/name_pattern.h"

#include <fnmatch.h>

#include <sstream>

namespace owq {

NamePattern::NamePattern(const std::string& text) {
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, ',');) {
        const auto first = part.find_first_not_of(" \t"), last = part.find_last_not_of(" \t");
        if (first != std::string::npos) globs_.push_back(part.substr(first, last - first + 1));
    }
}

bool NamePattern::matches(std::string_view name, std::string_view kind) const {
    if (globs_.empty()) return true;
    const std::string whole(name), last(name.substr(name.rfind('.') + 1)), kindText(kind);
    for (const std::string& glob : globs_)
        for (const std::string* candidate : {&whole, &last, &kindText})
            if (fnmatch(glob.c_str(), candidate->c_str(), 0) == 0) return true;
    return false;
}

}  // namespace owq
