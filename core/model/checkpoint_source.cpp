// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"
#include "core/model/open_source.h"

namespace owq {

CheckpointSource::CheckpointSource(std::shared_ptr<const Checkpoint> checkpoint)
    : checkpoint_(std::move(checkpoint)) {
    const std::string where = (checkpoint_->folder() / "config.json").string();
    const ShapeLookup find = [this](const std::string& name) -> std::optional<TensorShape> {
        const TensorInfo* tensor = checkpoint_->find(name);
        if (!tensor) return std::nullopt;
        return TensorShape{tensor->dtype, tensor->shape};
    };
    const ModelConfig config = parseModelConfig(checkpoint_->config(), where);
    const std::string folder = checkpoint_->folder().string();
    info_ = buildModelInfo(config, resolveNames(config, find, folder), find, folder);
}

QuantizedLinear CheckpointSource::linear(const std::string& linear) const {
    throw Error("this linear is not quantized", linear, "Ask for its weight.");
}

std::vector<std::filesystem::path> CheckpointSource::files() const {
    std::vector<std::filesystem::path> files = checkpoint_->files();
    files.push_back(checkpoint_->folder() / "config.json");
    return files;
}

std::shared_ptr<const ModelSource> openCheckpoint(const std::filesystem::path& path) {
    return std::make_shared<CheckpointSource>(Checkpoint::open(path));
}

}  // namespace owq
