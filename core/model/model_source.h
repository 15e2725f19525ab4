// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/tensor.h"
#include "core/model/model_info.h"
#include "core/quantize/quantized_linear.h"

namespace owq {

enum class ModelKind {
    checkpoint,  ///< Hugging Face folder, index or shard
    run,         ///< run directory of `owq quantize` (weights not quantized come from the checkpoint it names)
    packed,      ///< packed folder: ours (`owq` format) or a GPTQ checkpoint
    pth,         ///< the authors' packed file; config and tokenizer come from `modelFolder`
    tensorFile,  ///< a bare tensor file without a config beside it
    unknown
};
/// By content and names only; never throws for a path that exists.
ModelKind identify(const std::filesystem::path& path);
std::string modelKindName(ModelKind kind);

/// A model whose tensors can be asked for by name, dense or quantized. Opened by headers only, read lazily, safe for several readers.
class ModelSource {
public:
    virtual ~ModelSource() = default;
    /// Throws Error: not a model, unknown architecture (with the known ones), unfinished run, missing or misshaped tensors.
    static std::shared_ptr<const ModelSource> open(const std::filesystem::path& path, const std::filesystem::path& modelFolder = {});

    virtual ModelKind kind() const = 0;
    virtual const ModelInfo& info() const = 0;
    virtual const Json& config() const = 0;
    virtual std::filesystem::path tokenizerFolder() const = 0;
    /// Embeddings, norms, biases, dense linears, by checkpoint name (with ".weight"/".bias").
    virtual bool has(const std::string& tensor) const = 0;
    virtual Tensor tensor(const std::string& tensor) const = 0;
    virtual bool quantized(const std::string& linear) const = 0;
    virtual QuantizedLinear linear(const std::string& linear) const = 0;
    /// What weights and configuration are read from.
    virtual std::vector<std::filesystem::path> files() const { return {}; }
};

/// Another text when the model was written anew, in the same place, too: SHA-256 of the names, sizes and times of the last change of its
/// files, those of the tokenizer included. Reads none of them.
std::string fileState(const ModelSource& model);

}  // namespace owq
