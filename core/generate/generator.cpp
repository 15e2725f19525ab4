// SPDX-License-Identifier: Apache-2.0
#include "core/generate/generator.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <chrono>
#include <mutex>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/generate/sampler.h"
#include "core/model/forwarding_source.h"
#include "core/model/language_model.h"
#include "core/model/torch_tensor.h"

namespace owq {
namespace {

constexpr int64_t kPromptChunk = 512;  // tokens of the prompt between two looks at the stop token

/// Keeps the weak columns of what is read through it, so that tasks can take their place and leave it again.
class KeepingSource final : public ForwardingSource {
public:
    using ForwardingSource::ForwardingSource;
    QuantizedLinear linear(const std::string& name) const override {
        QuantizedLinear weight = source_->linear(name);
        if (weight.weakColumns.empty()) return weight;
        TaskLinear own = weakColumnsOf(weight);
        const std::scoped_lock lock(mutex_);
        own_.linears.insert_or_assign(name, std::move(own));
        return weight;
    }
    const Task& own() const { return own_; }

private:
    mutable std::mutex mutex_;
    mutable Task own_;
};

double secondsSince(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

struct Generator::State {
    State(std::shared_ptr<const ModelSource> source, Arithmetic arithmetic, const std::stop_token& stop, std::shared_ptr<const Device> device)
        : kept(device ? nullptr : std::make_shared<KeepingSource>(source)),
          model(kept ? kept : std::move(source), arithmetic, std::move(device)),
          eos(endTokens(model.config().eos, model.source().tokenizerFolder())) {
        for (int b = 0; b < model.info().blocks; ++b) blocks.push_back(model.loadBlock(b, model.device(), stop));
    }

    /// Logits [vocabulary], on the CPU, after the last of the ids, which follow what the caches hold.
    at::Tensor step(std::span<const int32_t> ids, const std::stop_token& stop) {
        at::Tensor hidden;
        for (size_t first = 0; first < ids.size(); first += size_t(kPromptChunk)) {
            const int64_t count = std::min<int64_t>(kPromptChunk, int64_t(ids.size() - first));
            hidden = model.embed(idTensor(ids.data() + first, 1, count), caches.front().length).to(model.device().place());
            for (size_t b = 0; b < blocks.size(); ++b) {
                checkStop(stop);
                hidden = blocks[b].forward(hidden, {}, &caches[b]);
            }
        }
        return model.head(model.finalNorm(hidden.select(1, hidden.size(1) - 1))).view({-1}).to(at::kCPU);
    }

    std::shared_ptr<const KeepingSource> kept;  ///< on the CPU
    LanguageModel model;
    std::vector<int64_t> eos;
    std::vector<Block> blocks;
    std::vector<KeyValueCache> caches;
};

Generator::Generator(std::shared_ptr<const ModelSource> source, Arithmetic arithmetic, std::stop_token stop,
                     std::shared_ptr<const Device> device)
    : state_(std::make_unique<State>(std::move(source), arithmetic, stop, std::move(device))) {}

Generator::~Generator() = default;

void Generator::useTask(const Task& task, const std::string& file, const std::stop_token& stop) {
    if (!state_->kept) throw Error("weak columns are only changed on the CPU", file, "Load the model with its task.");
    const ModelSource& source = state_->model.source();
    for (const auto& [name, linear] : task.linears)
        if (!source.quantized(name)) throw Error("the task has weak columns for " + name + ", which the model does not have quantized", file);
    // All are checked before the first is changed.
    std::vector<std::pair<Linear*, const TaskLinear*>> changed;
    for (Block& block : state_->blocks)
        for (const LinearInfo& info : block.linears())
            if (const auto own = state_->kept->own().linears.find(info.name); own != state_->kept->own().linears.end())
                changed.emplace_back(&block.linear(info.name), &tunedColumns(task, info.name, own->second, file));
    for (const auto& [linear, columns] : changed) {
        checkStop(stop);
        linear->setWeakWeight(columns->weight.data());
    }
}

void Generator::useOwnColumns(const std::stop_token& stop) { useTask({}, {}, stop); }

Generation Generator::generate(std::span<const int32_t> prompt, const SamplingOptions& options,
                               const std::function<bool(int32_t id)>& onToken, std::stop_token stop) {
    const at::NoGradGuard guard;
    Sampler sampler(options);
    const ModelConfig& config = state_->model.config();
    if (prompt.empty()) throw Error("the prompt has no tokens", {}, "Give some text to go on from.");
    if (int64_t(prompt.size()) > config.maxPositions)
        throw Error("the prompt has " + std::to_string(prompt.size()) +
                        " tokens, the model's context holds " + std::to_string(config.maxPositions),
                    {}, "Shorten the prompt.");
    state_->caches.assign(state_->blocks.size(), state_->model.newCache());

    Generation out;
    auto start = std::chrono::steady_clock::now();
    at::Tensor logits = state_->step(prompt, stop);
    out.promptSeconds = secondsSince(start);
    start = std::chrono::steady_clock::now();
    while (true) {
        const int32_t id = sampler.draw({logits.data_ptr<float>(), size_t(logits.numel())});
        if (options.stopAtEnd && std::find(state_->eos.begin(), state_->eos.end(), int64_t(id)) != state_->eos.end()) {
            out.stopReason = "end of text";
            break;
        }
        out.ids.push_back(id);
        if (onToken && !onToken(id))
            out.stopReason = "stopped by the caller";
        else if (int64_t(out.ids.size()) >= options.maxTokens)
            out.stopReason = "length";
        else if (int64_t(prompt.size() + out.ids.size()) > config.maxPositions)
            out.stopReason = "context full";
        if (!out.stopReason.empty()) break;
        logits = state_->step(std::span(&id, 1), stop);
        ++out.decodeSteps;
    }
    out.decodeSeconds = secondsSince(start);
    for (const KeyValueCache& cache : state_->caches) out.cacheBytes += cache.bytes();
    return out;
}

}  // namespace owq
