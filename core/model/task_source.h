// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <stop_token>
#include <vector>

#include "core/model/model_source.h"
#include "core/pack/task_file.h"

namespace owq {

/// The model with the task's weak columns in place of its own; everything else, and the files, are shared with `model`. Error at once when
/// the task has a linear that the model does not have quantized; when a linear is read whose packed matrix is another, then.
std::shared_ptr<const ModelSource> withTask(std::shared_ptr<const ModelSource> model, Task task, const std::filesystem::path& file);
/// The same with the task of a file; `file` empty: the model itself.
std::shared_ptr<const ModelSource> withTask(std::shared_ptr<const ModelSource> model, const std::filesystem::path& file);
/// Task files in the model's folder, and those named task.safetensors in the folders within and beside it, that were tuned on this model; in order of their
/// paths. Files that cannot be read are left out, and a model that cannot be opened has none. Throws Cancelled only.
std::vector<std::filesystem::path> tasksBeside(const std::filesystem::path& model, const std::stop_token& stop = {});

}  // namespace owq
