// SPDX-License-Identifier: Apache-2.0
#include "core/model/task_source.h"

#include "core/base/error.h"

namespace owq {
namespace {

class TaskSource final : public ModelSource {
public:
    TaskSource(std::shared_ptr<const ModelSource> model, Task task, std::string file)
        : model_(std::move(model)), task_(std::move(task)), file_(std::move(file)) {
        for (const auto& [name, linear] : task_.linears)
            if (!model_->quantized(name))
                throw Error("the task has weak columns for " + name + ", which the model does not have quantized", file_,
                            "Use it with the run or packed model that it was tuned on, or an export of the same run");
    }
    ModelKind kind() const override { return model_->kind(); }
    const ModelInfo& info() const override { return model_->info(); }
    const Json& config() const override { return model_->config(); }
    std::filesystem::path tokenizerFolder() const override { return model_->tokenizerFolder(); }
    bool has(const std::string& tensor) const override { return model_->has(tensor); }
    Tensor tensor(const std::string& tensor) const override { return model_->tensor(tensor); }
    bool quantized(const std::string& linear) const override { return model_->quantized(linear); }
    QuantizedLinear linear(const std::string& name) const override {
        QuantizedLinear weight = model_->linear(name);
        applyTask(task_, name, weight, file_);
        return weight;
    }

private:
    std::shared_ptr<const ModelSource> model_;
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
