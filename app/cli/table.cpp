// SPDX-License-Identifier: Apache-2.0
#include "app/cli/table.h"

#include <algorithm>
#include <ostream>

namespace owq::cli {
namespace {

// Characters, not bytes: continuation bytes of UTF-8 take no place on the screen.
size_t width(const std::string& text) {
    return size_t(std::count_if(text.begin(), text.end(), [](char c) { return (uint8_t(c) & 0xc0) != 0x80; }));
}

}  // namespace

Table::Table(std::vector<std::string> titles) : titles_(std::move(titles)) {
    for (std::string& title : titles_) {
        right_.push_back(title.starts_with('>'));
        if (right_.back()) title.erase(0, 1);
    }
}

Table Table::facts() { return Table({"", ""}); }

void Table::add(std::vector<std::string> cells) {
    cells.resize(titles_.size());
    rows_.push_back(std::move(cells));
}

void Table::print(std::ostream& out) const {
    std::vector<size_t> widths;
    for (size_t c = 0; c < titles_.size(); ++c) {
        size_t widest = width(titles_[c]);
        for (const auto& row : rows_) widest = std::max(widest, width(row[c]));
        widths.push_back(widest);
    }
    const auto line = [&](const std::vector<std::string>& cells) {
        std::string text;
        for (size_t c = 0; c < cells.size(); ++c) {
            const std::string gap(widths[c] - width(cells[c]), ' ');
            text += "  " + (right_[c] ? gap + cells[c] : cells[c] + gap);
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out << text << '\n';
    };
    if (std::any_of(titles_.begin(), titles_.end(), [](const std::string& t) { return !t.empty(); })) line(titles_);
    for (const auto& row : rows_) line(row);
}

}  // namespace owq::cli
