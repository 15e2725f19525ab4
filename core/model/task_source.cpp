// SPDX-License-Identifier: Apache-2.0
#include "core/model/task_source.h"

#include "core/base/error.h"
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

}  // namespace owq
