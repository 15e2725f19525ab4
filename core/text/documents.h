// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace owq {

/// .jsonl, .ndjson or .json, each also with .gz behind: one JSON object a line, as C4's shards are.
bool isJsonLines(const std::filesystem::path& file);

/// The first `limit` documents (0: all); see readDocuments in corpus.h.
std::vector<std::string> readDocuments(const std::filesystem::path& file, size_t limit);

/// Lines of a plain or gzipped file, one at a time, without their newline; `where` names file and line. `visit` may take the line, and
/// returns whether to go on. Throws Error and Cancelled.
void eachLine(const std::filesystem::path& file, const std::function<bool(std::string& line, const std::string& where)>& visit,
              const std::stop_token& stop = {});
/// The same with each line as JSON, empty ones passed over.
void eachJsonLine(const std::filesystem::path& file, const std::function<bool(const Json& object, const std::string& where)>& visit,
                  const std::stop_token& stop = {});

/// The field "text" of each line, whatever the file is called; plain or gzipped.
std::vector<std::string> readJsonLines(const std::filesystem::path& file, size_t limit = 0);

/// Rows of a data set: documents of a JSON lines file, else the lines of a text with their newline.
std::vector<std::string> readRows(const std::filesystem::path& file);

}  // namespace owq
