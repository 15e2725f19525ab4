// SPDX-License-Identifier: Apache-2.0
#include "core/model/language_model.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include <cmath>
#include <cstring>

#include "core/base/error.h"
#include "core/model/open_source.h"
#include "core/model/torch_tensor.h"

namespace owq {

LanguageModel::LanguageModel(std::shared_ptr<const ModelSource> source, Arithmetic arithmetic, std::shared_ptr<const Device> device)
    : source_(std::move(source)), arithmetic_(arithmetic), device_(std::move(device)) {
    const at::NoGradGuard guard;
    config_ = parseModelConfig(source_->config(), "config.json");
    names_ = namesOf(*source_, config_);
    if (config_.positions == Positions::rotary) rope_ = std::make_shared<const Rope>(config_.rope, config_.headSize);
    tokens_ = source_->tensor(names_.tokens + ".weight");
    if (!names_.positions.empty()) positions_ = loadFloat(*source_, names_.positions + ".weight");
    if (!names_.projectIn.empty()) {
        projectIn_ = Linear::load(*source_, names_.projectIn, arithmetic_);
        projectOut_ = Linear::load(*source_, names_.projectOut, arithmetic_, this->device());
    }
    if (!names_.embeddingNorm.empty()) embeddingNorm_ = loadNorm(*source_, config_, names_.embeddingNorm, hostDevice());
    if (!names_.finalNorm.empty()) finalNorm_ = loadNorm(*source_, config_, names_.finalNorm, this->device());
}

at::Tensor LanguageModel::embed(const at::Tensor& ids, int64_t firstPosition) const {
    const at::NoGradGuard guard;
    const int64_t n = ids.size(0), t = ids.size(1), width = config_.embedding;
    if (firstPosition + t > config_.maxPositions)
        throw Error(std::to_string(firstPosition + t) + " tokens do not fit the model's " +
                        std::to_string(config_.maxPositions) + " positions",
                    {}, "Choose a shorter sequence length.");
    const at::Tensor held = ids.contiguous();
    const int64_t* id = held.data_ptr<int64_t>();
    at::Tensor hidden = at::empty({n, t, width}, at::TensorOptions(at::kFloat));
    float* out = hidden.data_ptr<float>();
    const size_t rowBytes = size_t(width) * byteSize(tokens_.dtype);
    for (int64_t i = 0; i < n * t; ++i, out += width) {
        if (id[i] < 0 || id[i] >= config_.vocabulary)
            throw Error("token id " + std::to_string(id[i]) + " is outside the vocabulary of " +
                            std::to_string(config_.vocabulary),
                        {}, "The tokens were made with another tokenizer.");
        const Tensor row{tokens_.dtype, {width}, tokens_.data + size_t(id[i]) * rowBytes, tokens_.owner};
        const std::vector<float> values = row.toFloat();
        std::memcpy(out, values.data(), values.size() * sizeof(float));
        for (float value : values)
            if (!std::isfinite(value))
                throw Error("tensor " + names_.tokens +
                                ".weight holds values that are not finite (NaN or infinity) in row " +
                                std::to_string(id[i]),
                            {}, "The checkpoint is damaged; get it again from its publisher.");
    }
    if (!names_.projectIn.empty()) hidden = projectIn_.forward(hidden);
    if (config_.scaledEmbedding) hidden.mul_(std::sqrt(float(config_.hidden)));
    if (positions_.defined())
        hidden.add_(positions_.narrow(0, firstPosition + config_.family->positionOffset, t));
    if (!names_.embeddingNorm.empty()) hidden = embeddingNorm_.forward(hidden);
    return hidden;
}

KeyValueCache LanguageModel::newCache() const {
    KeyValueCache cache;
    cache.halves = device().isHost() && (arithmetic_ == Arithmetic::doubleInt8 || arithmetic_ == Arithmetic::int8);
    return cache;
}

Block LanguageModel::loadBlock(int index, const Device& device, const std::stop_token& stop) const {
    return Block::load(*source_, config_, names_, index, rope_, arithmetic_, device, stop);
}

at::Tensor LanguageModel::finalNorm(const at::Tensor& hidden) const {
    const at::Tensor normed = names_.finalNorm.empty() ? hidden : finalNorm_.forward(hidden);
    return names_.projectOut.empty() ? normed : projectOut_.forward(normed);
}

const Linear& LanguageModel::headLinear() const {
    std::call_once(headOnce_, [this] { head_ = Linear::load(*source_, names_.head, arithmetic_, device()); });
    return head_;
}

at::Tensor LanguageModel::head(const at::Tensor& normed) const {
    const at::NoGradGuard guard;
    return headLinear().forward(normed);
}

at::Tensor LanguageModel::headGradient(const at::Tensor& logits) const {
    const at::NoGradGuard guard;
    return headLinear().inputGradient(logits);
}

at::Tensor LanguageModel::forward(const at::Tensor& ids) const {
    at::Tensor hidden = embed(ids).to(device().place());
    for (int b = 0; b < config_.blocks; ++b) hidden = loadBlock(b, device()).forward(hidden);
    return head(finalNorm(hidden));
}

}  // namespace owq
