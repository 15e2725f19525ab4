// SPDX-License-Identifier: Apache-2.0
// Tables for other programs (RFC 4180): commas, a line of titles, quotes where a field needs them.
#pragma once
#include <string>
#include <vector>

namespace owq {

std::string csvField(const std::string& text);
/// As JSON writes it; "nan", "inf" and "-inf" for what JSON lacks.
std::string csvNumber(double value);
std::string csvLine(const std::vector<std::string>& cells);

}  // namespace owq
