// SPDX-License-Identifier: Apache-2.0
// A tuned task: the weak columns of a quantized model and nothing else (resources/help/format.md). Many tasks share one packed model.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/tensor.h"
#include "core/checkpoint/tensor_file.h"
#include "core/quantize/quantized_linear.h"

namespace owq {

/// SHA-256 of what tuning leaves alone: shape, bits, group size, kind of grid, weak column ids, zeros, and codes (those of weak columns as
/// 0). Scales are not in it, because an export rounds them: a run and its exports share their tasks.
std::string frozenHash(const QuantizedLinear& linear);

/// The weak columns of one linear.
struct TaskLinear {
    int64_t rows = 0;
    std::vector<int32_t> columns;  ///< ascending, never empty
    std::vector<float> weight;     ///< [rows, columns.size()], values of `type`
    DType type = DType::f16;
    std::string frozen;            ///< frozenHash of the linear that they belong to
};

struct Task {
    std::map<std::string, TaskLinear, std::less<>> linears;  ///< by name; linears without weak columns are not among them
    Metadata about;                                          ///< what it was made from, for a person
};

/// Error naming file and tensor for whatever does not fit: missing entries, shapes, columns out of order, values that are not finite.
Task readTask(const std::filesystem::path& file);
/// Written whole, synced, renamed.
void writeTask(const std::filesystem::path& file, const Task& task);

/// The linear's own weak columns, and the hash of the rest.
TaskLinear weakColumnsOf(const QuantizedLinear& linear);
/// The task's weak columns in place of `own`, or `own` where the task has none for this linear. Error when the task belongs to another packed
/// matrix, naming `file`.
const TaskLinear& tunedColumns(const Task& task, const std::string& name, const TaskLinear& own, const std::string& file);

/// Puts the task's weak columns into the linear; one that the task does not have stays as it is. Error when the task belongs to another
/// packed matrix, naming `file`.
void applyTask(const Task& task, const std::string& name, QuantizedLinear& linear, const std::string& file);

}  // namespace owq
