// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <iosfwd>
#include <string>
#include <vector>

namespace owq::cli {

/// Aligned columns for a person. Columns whose title begins with ">" are set flush right.
class Table {
public:
    explicit Table(std::vector<std::string> titles);
    void add(std::vector<std::string> cells);
    /// A line without titles: "  name   value".
    static Table facts();
    void print(std::ostream& out) const;

private:
    std::vector<std::string> titles_;
    std::vector<bool> right_;
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace owq::cli
