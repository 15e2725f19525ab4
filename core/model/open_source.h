// SPDX-License-Identifier: Apache-2.0
// The kinds of ModelSource, one function each; ModelSource::open chooses.
#pragma once
#include <filesystem>
#include <memory>

#include "core/checkpoint/checkpoint.h"
#include "core/model/config.h"
#include "core/model/family.h"
#include "core/model/model_source.h"

namespace owq {

std::shared_ptr<const ModelSource> openCheckpoint(const std::filesystem::path& path);
std::shared_ptr<const ModelSource> openRunModel(const std::filesystem::path& folder);
std::shared_ptr<const ModelSource> openPacked(const std::filesystem::path& path);
std::shared_ptr<const ModelSource> openPth(const std::filesystem::path& file,
                                           const std::filesystem::path& modelFolder);

/// Names of the tensors around the blocks, as the source has them.
ModelNames namesOf(const ModelSource& source, const ModelConfig& config);

/// A checkpoint whose tensors were checked against its configuration.
class CheckpointSource : public ModelSource {
public:
    explicit CheckpointSource(std::shared_ptr<const Checkpoint> checkpoint);

    ModelKind kind() const override { return ModelKind::checkpoint; }
    const ModelInfo& info() const override { return info_; }
    const Json& config() const override { return checkpoint_->config(); }
    std::filesystem::path tokenizerFolder() const override { return checkpoint_->folder(); }
    bool has(const std::string& tensor) const override { return checkpoint_->find(tensor) != nullptr; }
    Tensor tensor(const std::string& tensor) const override { return checkpoint_->read(tensor); }
    bool quantized(const std::string& linear) const override { return false; }
    QuantizedLinear linear(const std::string& linear) const override;
    std::vector<std::filesystem::path> files() const override;

protected:
    std::shared_ptr<const Checkpoint> checkpoint_;
    ModelInfo info_;
};

}  // namespace owq
