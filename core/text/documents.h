// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace owq {

/// .jsonl, .ndjson or .json, each also with .gz behind: one JSON object a line, as C4's shards are.
bool isJsonLines(const std::filesystem::path& file);

/// The first `limit` documents (0: all); see readDocuments in corpus.h.
std::vector<std::string> readDocuments(const std::filesystem::path& file, size_t limit);

/// Gives `take` the value of each line that is not blank, and the words for its place in errors, until it says false; plain or gzipped.
void eachJsonLine(const std::filesystem::path& file, const std::function<bool(const Json& value, const std::string& place)>& take);

/// The field "text" of each line, whatever the file is called; plain or gzipped.
std::vector<std::string> readJsonLines(const std::filesystem::path& file, size_t limit = 0);

/// Rows of a data set: documents of a JSON lines file, else the lines of a text with their newline.
std::vector<std::string> readRows(const std::filesystem::path& file);

}  // namespace owq
