// SPDX-License-Identifier: Apache-2.0
#include "core/base/csv.h"

#include <cmath>

#include "core/base/json.h"

namespace owq {

std::string csvField(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
    return quoted + "\"";
}

std::string csvNumber(double v) { return std::isfinite(v) ? Json(v).dump() : std::isnan(v) ? "nan" : v > 0 ? "inf" : "-inf"; }

std::string csvLine(const std::vector<std::string>& cells) {
    std::string line;
    for (size_t i = 0; i < cells.size(); ++i) line += (i ? "," : "") + csvField(cells[i]);
    return line + "\n";
}

}  // namespace owq
