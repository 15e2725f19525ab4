// SPDX-License-Identifier: Apache-2.0
// Memory and time of a training step at one example of 512 tokens: weak columns against adapters of low rank (LoRA, Hu et al. 2022) over the same
// packed weights (as QLoRA, Dettmers et al. 2023, has them over 4 bits) and over fp16 weights. All keep only the inputs of blocks and compute a block
// again when the gradient comes, fp32 activations, AdamW in fp32, the same products of the base weights.
// usage: bench_tuning weak|packed|half [rank or weak columns] [blocks hidden inner heads vocabulary] [bits] [steps]; one way a process: the peak is its.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>

#include "core/base/memory.h"
#include "core/model/attention.h"
#include "core/model/gradient.h"
#include "core/model/torch_tensor.h"
#include "core/tune/tuner.h"
#include "kernels/thread_pool.h"
#include "tests/core/tune/random_source.h"

namespace owq {
namespace {

constexpr int64_t kTokens = 512;

/// base(x) + (x Aᵀ) Bᵀ; A [rank, columns] and B [rows, rank] are leaves.
struct AdaptedLinear {
    Linear base;
    at::Tensor a, b;
    at::Tensor forward(const at::Tensor& x) const { return base.forward(x).add(x.matmul(a.t()).matmul(b.t())); }
};

class AdaptedModel {
public:
    AdaptedModel(const std::shared_ptr<const RandomSource>& source, int64_t rank)
        : model_(source, Arithmetic::exact), rope_(std::make_shared<Rope>(model_.config().rope, model_.config().headSize)) {
        const at::NoGradGuard guard;
        for (int b = 0; b < model_.info().blocks; ++b) {
            const std::string prefix = "model.layers." + std::to_string(b) + ".";
            AdaptedBlock block{loadNorm(*source, model_.config(), prefix + "input_layernorm", hostDevice()),
                               loadNorm(*source, model_.config(), prefix + "post_attention_layernorm", hostDevice()), {}};
            for (const LinearInfo& info : model_.info().linears) {
                if (info.block != b) continue;
                block.linears.push_back({Linear::load(*source, info.name, Arithmetic::exact), at::randn({rank, info.columns}).mul_(0.01).requires_grad_(true),
                                         at::zeros({info.rows, rank}).requires_grad_(true)});
                kinds_.push_back(info.kind);
                bytes += block.linears.back().base.bytes();
                state.weights.resize(state.weights.size() + size_t(rank * (info.rows + info.columns)));
            }
            blocks_.push_back(std::move(block));
        }
        kinds_.resize(blocks_.front().linears.size());
        returnFreeMemory();
    }

    double step(const TuningBatch& batch) {
        std::vector<at::Tensor> inputs;
        at::Tensor hidden = model_.embed(idTensor(batch.ids.data(), 1, batch.length));
        {
            const at::NoGradGuard guard;
            for (const AdaptedBlock& block : blocks_) {
                inputs.push_back(hidden);
                hidden = forward(block, hidden);
            }
        }
        at::Tensor back;
        const double loss = headLoss(model_, hidden, batch, 1 / double(batch.targets.size()), &back).mean();
        hidden.reset();
        returnFreeMemory();
        std::vector<float> gradient(state.weights.size());
        size_t at = gradient.size();
        for (size_t b = blocks_.size(); b-- > 0;) {
            const at::Tensor in = std::exchange(inputs[b], {}).detach().requires_grad_(b > 0);
            std::vector<at::Tensor> of;
            for (const AdaptedLinear& linear : blocks_[b].linears) of.insert(of.end(), {linear.a, linear.b});
            const size_t leaves = of.size();
            if (b > 0) of.push_back(in);
            at::AutoGradMode on(true);
            const std::vector<at::Tensor> found = gradients(forward(blocks_[b], in), of, back);
            for (size_t i = leaves; i-- > 0;) {
                at -= size_t(found[i].numel());
                const at::Tensor flat = found[i].contiguous();
                std::copy_n(flat.const_data_ptr<float>(), flat.numel(), gradient.data() + at);
            }
            if (b > 0) back = found.back();
        }
        clipNorm(gradient, 1);
        gather(false);
        adamStep(state, gradient, 1e-4);
        gather(true);
        return loss;
    }

    AdamState state;
    uint64_t bytes = 0;

private:
    struct AdaptedBlock {
        Norm attentionNorm, feedForwardNorm;
        std::vector<AdaptedLinear> linears;
    };
    const AdaptedLinear& linear(const AdaptedBlock& block, const char* kind) const {
        return block.linears[size_t(std::find(kinds_.begin(), kinds_.end(), kind) - kinds_.begin())];
    }
    at::Tensor forward(const AdaptedBlock& block, const at::Tensor& hidden) const {
        const ModelConfig& c = model_.config();
        const at::Tensor normed = block.attentionNorm.forward(hidden);
        const auto heads = [&](const char* kind) { return linear(block, kind).forward(normed).view({1, hidden.size(1), c.heads, c.headSize}); };
        at::Tensor query = rope_->turned(heads("q"), 0), key = rope_->turned(heads("k"), 0);
        const at::Tensor x = hidden.add(linear(block, "o").forward(causalAttention(query, key, heads("v"), nullptr)));
        const at::Tensor inner = block.feedForwardNorm.forward(x);
        return x.add(linear(block, "down").forward(at::silu(linear(block, "gate").forward(inner)).mul(linear(block, "up").forward(inner))));
    }
    /// Adapters to the optimizer's flat weights, or back.
    void gather(bool toAdapters) {
        const at::NoGradGuard guard;
        float* at = state.weights.data();
        for (const AdaptedBlock& block : blocks_)
            for (const AdaptedLinear& linear : block.linears)
                for (const at::Tensor& leaf : {linear.a, linear.b}) {
                    const at::Tensor flat = at::from_blob(at, leaf.sizes(), at::kFloat);
                    toAdapters ? leaf.copy_(flat) : flat.copy_(leaf);
                    at += leaf.numel();
                }
    }

    LanguageModel model_;
    std::shared_ptr<const Rope> rope_;
    std::vector<AdaptedBlock> blocks_;
    std::vector<std::string> kinds_;
};

int run(int count, char** values) {
    const std::string way = values[1];
    const auto number = [&](int i, int64_t otherwise) { return count > i ? std::atoll(values[i]) : otherwise; };
    const int64_t width = number(2, way == "weak" ? 8 : 64);
    RandomShape shape{.blocks = int(number(3, 8)), .bits = int(number(8, 3)), .hidden = number(4, 2048), .inner = number(5, 5504), .heads = number(6, 16),
                      .vocabulary = number(7, 32000), .weakColumns = way == "weak" ? width : 0};
    if (way == "half") shape.bits = 16;
    const int64_t steps = number(9, 5);
    tuneAllocator();
    const auto source = std::make_shared<RandomSource>(shape);
    warmUpLibraries(shape);
    const uint64_t base = residentMemoryBytes();
    const TuningData data = someData(steps, kTokens, shape.vocabulary), none;
    std::vector<double> seconds;
    double loss = 0;
    const auto time = [&](const auto& step) {
        const auto start = std::chrono::steady_clock::now();
        loss = step();
        seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    };
    size_t parameters = 0;
    uint64_t bytes = 0;
    if (way == "weak") {
        TunedModel model(source);
        Tuner tuner(model, data, none, {.epochs = 1, .accumulate = 1});
        parameters = size_t(model.parameters()), bytes = model.packedBytes();
        while (tuner.finished().empty()) time([&] { return tuner.step({}).loss.mean(); });
    } else {
        AdaptedModel model(source, width);
        parameters = model.state.weights.size(), bytes = model.bytes;
        for (int64_t i = 0; i < steps; ++i) time([&] { return model.step(makeBatch(data.examples, {i})); });
    }
    std::sort(seconds.begin(), seconds.end());
    const auto mebibytes = [](uint64_t n) { return double(n) / (1 << 20); };
    std::printf("%s %lld: %zu parameters, base weights %.0f MiB, peak %.0f MiB above the libraries, step %.2f s (median of %zu; %.2f to %.2f), %d threads, last loss %.3f\n",
                way.c_str(), static_cast<long long>(width), parameters, mebibytes(bytes), mebibytes(peakMemoryBytes() - base), seconds[seconds.size() / 2],
                seconds.size(), seconds.front(), seconds.back(), kernels::threads(), loss);
    return 0;
}

}  // namespace
}  // namespace owq

int main(int count, char** values) {
    const std::string way = count > 1 ? values[1] : "";
    if (way != "weak" && way != "packed" && way != "half") {
        std::cerr << "usage: bench_tuning weak|packed|half [rank or weak columns] [blocks hidden inner heads vocabulary] [bits] [steps]\n";
        return 2;
    }
    return owq::run(count, values);
}
