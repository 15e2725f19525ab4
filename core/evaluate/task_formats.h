// SPDX-License-Identifier: Apache-2.0
// One question from one line of each format. Internal to core/evaluate.
#pragma once
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/evaluate/task.h"

namespace owq {

/// The format whose fields a line has; Error when there is none.
TaskFormat guessedFormat(const Json& line, const std::string& where);
/// Throws Error naming `where`.
TaskItem itemOf(TaskFormat format, const Json& line, const std::string& where);
/// MMLU's question, answers and letter.
TaskItem mmluItem(const std::vector<std::string>& fields, const std::string& where);
/// What MMLU says in front of the questions about a subject ("high_school_physics").
std::string mmluDescription(const std::string& subject);

}  // namespace owq
