// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace owq {

/// Records of a comma-separated file (RFC 4180: fields in quotes may hold commas, quotes twice and newlines), plain or gzipped, one at a
/// time; `where` names file and first line. Throws Error for a quote out of place, and Cancelled.
void eachCsvRecord(const std::filesystem::path& file,
                   const std::function<void(std::vector<std::string>& fields, const std::string& where)>& visit, const std::stop_token& stop = {});

}  // namespace owq
