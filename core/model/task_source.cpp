// SPDX-License-Identifier: Apache-2.0
#include "core/model/task_source.h"

#include <set>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/model/forwarding_source.h"

namespace owq {
namespace {

class TaskSource final : public ForwardingSource {
public:
    TaskSource(std::shared_ptr<const ModelSource> model, Task task, std::string file)
        : ForwardingSource(std::move(model)), task_(std::move(task)), file_(std::move(file)) {
        for (const auto& [name, linear] : task_.linears)
            if (!quantized(name))
                throw Error("the task has weak columns for " + name + ", which the model does not have quantized", file_,
                            "Use it with the run or packed model that it was tuned on, or an export of the same run");
    }
    QuantizedLinear linear(const std::string& name) const override {
        QuantizedLinear weight = source_->linear(name);
        applyTask(task_, name, weight, file_);
        return weight;
    }

private:
    Task task_;
    std::string file_;
};

}  // namespace

std::shared_ptr<const ModelSource> withTask(std::shared_ptr<const ModelSource> model, Task task, const std::filesystem::path& file) {
    return std::make_shared<TaskSource>(std::move(model), std::move(task), file.string());
}

std::shared_ptr<const ModelSource> withTask(std::shared_ptr<const ModelSource> model, const std::filesystem::path& file) {
    if (file.empty()) return model;
    return withTask(std::move(model), readTask(file), file);
}

namespace {

namespace fs = std::filesystem;

/// Paths in the folder, none where it cannot be read.
std::vector<fs::path> entriesOf(const fs::path& folder) {
    std::vector<fs::path> entries;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) entries.push_back(it->path());
    return entries;
}

bool belongs(const ModelSource& model, const fs::path& file) {
    try {
        const Task task = readTask(file);
        const std::string& name = task.linears.begin()->first;
        if (!model.quantized(name)) return false;
        QuantizedLinear weight = model.linear(name);
        applyTask(task, name, weight, file.string());
        return true;
    } catch (const Error&) {  // nobody asked for this file
        return false;
    }
}

}  // namespace

std::vector<fs::path> tasksBeside(const fs::path& model, const std::stop_token& stop) {
    constexpr const char* kName = "task.safetensors";
    std::error_code error;
    const fs::path folder = fs::is_directory(model, error) ? model : model.parent_path();
    std::set<fs::path> candidates;
    for (const fs::path& path : entriesOf(folder))
        if (path.extension() == ".safetensors" && fs::is_regular_file(path, error)) candidates.insert(path);
    fs::path whole = fs::absolute(folder, error).lexically_normal();
    if (!whole.has_filename()) whole = whole.parent_path();  // "model/"
    for (const fs::path& place : {folder, whole.parent_path()})
        for (const fs::path& path : entriesOf(place))
            if (fs::is_regular_file(path / kName, error)) candidates.insert(path / kName);
    std::vector<fs::path> tasks;
    std::shared_ptr<const ModelSource> source;
    for (const fs::path& file : candidates) {
        checkStop(stop);
        try {
            if (!source) source = ModelSource::open(model);
        } catch (const Error&) {
            return tasks;
        }
        if (belongs(*source, file)) tasks.push_back(file);
    }
    return tasks;
}

}  // namespace owq
