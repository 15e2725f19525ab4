// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <utility>

#include "core/model/model_source.h"

namespace owq {

/// Another source, for those that change a part of it: everything is asked of `source` that is not overridden.
class ForwardingSource : public ModelSource {
public:
    explicit ForwardingSource(std::shared_ptr<const ModelSource> source) : source_(std::move(source)) {}

    ModelKind kind() const override { return source_->kind(); }
    const ModelInfo& info() const override { return source_->info(); }
    const Json& config() const override { return source_->config(); }
    std::filesystem::path tokenizerFolder() const override { return source_->tokenizerFolder(); }
    bool has(const std::string& tensor) const override { return source_->has(tensor); }
    Tensor tensor(const std::string& tensor) const override { return source_->tensor(tensor); }
    bool quantized(const std::string& linear) const override { return source_->quantized(linear); }
    QuantizedLinear linear(const std::string& linear) const override { return source_->linear(linear); }
    std::vector<std::filesystem::path> files() const override { return source_->files(); }

protected:
    std::shared_ptr<const ModelSource> source_;
};

}  // namespace owq
