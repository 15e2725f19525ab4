// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/checkpoint/tensor_file.h"

namespace owq {

/// A Hugging Face checkpoint folder: config.json and one or more tensor files, read by headers only.
class Checkpoint {
public:
    /// `path`: the folder, its index file (*.safetensors.index.json, pytorch_model.bin.index.json) or one of its shards.
    /// safetensors is preferred where both formats lie there. Throws Error naming file, tensor and reason.
    static std::shared_ptr<const Checkpoint> open(const std::filesystem::path& path);

    const std::filesystem::path& folder() const { return folder_; }
    const Json& config() const { return config_; }
    /// By name.
    const std::vector<TensorInfo>& tensors() const { return tensors_; }
    const TensorInfo* find(std::string_view name) const;  ///< null when absent
    Tensor read(std::string_view name) const;             ///< Error when absent
    const std::vector<std::filesystem::path>& files() const { return files_; }
    uint64_t bytes() const;  ///< of all tensors

private:
    std::filesystem::path folder_;
    Json config_;
    std::vector<TensorInfo> tensors_;
    std::vector<std::filesystem::path> files_;
    std::map<std::string, std::shared_ptr<const TensorFile>, std::less<>> owners_;  ///< tensor name to its file
};

}  // namespace owq
