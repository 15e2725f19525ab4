// SPDX-License-Identifier: Apache-2.0
// Private to core sources. Embedding, blocks loaded one at a time, final norm and head; fp32.
#pragma once
#include <ATen/core/Tensor.h>

#include <memory>
#include <mutex>
#include <vector>

#include "core/base/file.h"
#include "core/model/block.h"

namespace owq {

class LanguageModel {
public:
    /// arithmetic: of all linears, the head too. device: what computes the final norm and the head; null: the CPU. The embedding is
    /// always the CPU's.
    explicit LanguageModel(std::shared_ptr<const ModelSource> source, Arithmetic arithmetic = Arithmetic::dense,
                           std::shared_ptr<const Device> device = nullptr);

    const ModelSource& source() const { return *source_; }
    const ModelInfo& info() const { return source_->info(); }
    const ModelConfig& config() const { return config_; }
    const Device& device() const { return device_ ? *device_ : hostDevice(); }

    /// ids int64 [n, t] to hidden [n, t, H] on the CPU, the input of block 0. Error when an id or a position is out of
    /// range.
    at::Tensor embed(const at::Tensor& ids, int64_t firstPosition = 0) const;
    /// Lets go of the pages of the embedding that embed() read from a mapped file.
    void releaseEmbedding() const { releasePages(tokens_.data, tokens_.bytes()); }
    /// What a block of this model keeps of a text while it is generated: fp16 where products round their inputs, too, and fp32 where they
    /// are to be those of the dequantized weights. On a GPU fp32: LibTorch has no product of fp32 queries with fp16 keys.
    KeyValueCache newCache() const;
    Block loadBlock(int index, const Device& device = hostDevice(), const std::stop_token& stop = {}) const;
    /// Output of the last block to what the head multiplies, [..., H] to [..., embedding]; on the model's device, as for the head. With grad mode on,
    /// gradients reach it.
    at::Tensor finalNorm(const at::Tensor& hidden) const;
    /// Rows of finalNorm(...) to logits, [..., vocabulary]. The head's weight is loaded at the first call and
    /// kept.
    at::Tensor head(const at::Tensor& normed) const;
    /// Gradient of the logits to that of what the head multiplied.
    at::Tensor headGradient(const at::Tensor& logits) const;
    /// ids [n, t] to logits [n, t, vocabulary], every block loaded in turn, on the model's device. For small inputs.
    at::Tensor forward(const at::Tensor& ids) const;

private:
    const Linear& headLinear() const;

    std::shared_ptr<const ModelSource> source_;
    Arithmetic arithmetic_;
    std::shared_ptr<const Device> device_;
    ModelConfig config_;
    ModelNames names_;
    std::shared_ptr<const Rope> rope_;
    Norm embeddingNorm_, finalNorm_;
    Tensor tokens_;         ///< in the checkpoint's dtype: only the rows in use are converted
    at::Tensor positions_;  ///< fp32 [maxPositions + offset, H]; undefined without learned positions
    Linear projectIn_, projectOut_;
    mutable std::once_flag headOnce_;
    mutable Linear head_;
};

}  // namespace owq
