// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace owq {

/// Selection of linears by a person: comma-separated shell patterns (* and ?) matched against the whole name, its last part
/// ("q_proj") or its kind ("q"). An empty pattern selects everything.
class NamePattern {
public:
    explicit NamePattern(const std::string& text = {});
    bool matches(std::string_view name, std::string_view kind) const;

private:
    std::vector<std::string> globs_;
};

}  // namespace owq
