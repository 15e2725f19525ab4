// SPDX-License-Identifier: Apache-2.0
#include "core/evaluate/score_texts.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/argmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/logsumexp.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/model/language_model.h"
#include "core/model/torch_tensor.h"
#include "core/text/utf8.h"

namespace owq {
namespace {

constexpr int64_t kTokensAtOnce = 512;  // between two looks at the stop token

/// One text's share of a chunk.
struct Part {
    const ScoredText* text = nullptr;
    size_t index = 0;     ///< among the texts asked for
    int64_t shared = 0;   ///< first tokens, the same as the text's before
    int64_t first = 0;    ///< row of the first token of its own
    int64_t inputs() const { return int64_t(text->ids.size()) - 1; }  ///< the last token is only predicted
    int64_t own() const { return inputs() - shared; }
};

int64_t commonStart(const ScoredText& a, const ScoredText& b) {
    const auto end = [](const ScoredText& t) { return t.ids.end() - 1; };
    return std::mismatch(a.ids.begin(), end(a), b.ids.begin(), end(b)).first - a.ids.begin();
}

std::vector<Part> inOrder(const std::vector<ScoredText>& texts) {
    std::vector<size_t> order(texts.size());
    std::iota(order.begin(), order.end(), size_t(0));
    std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        return std::lexicographical_compare(texts[a].ids.begin(), texts[a].ids.end() - 1, texts[b].ids.begin(), texts[b].ids.end() - 1);
    });
    std::vector<Part> parts;
    for (const size_t i : order) {
        Part part{&texts[i], i};
        if (!parts.empty()) part.shared = commonStart(*parts.back().text, texts[i]);
        parts.push_back(part);
    }
    return parts;
}

/// Parts that go through the blocks together.
class Chunk {
public:
    Chunk(const LanguageModel& model, std::vector<Part> parts) : model_(model), parts_(std::move(parts)) {
        parts_[0].shared = 0;
        for (Part& part : parts_) {
            part.first = rows_;
            rows_ += part.own();
        }
        hidden_ = at::empty({rows_, model.info().hidden}, at::TensorOptions(at::kFloat));
        for (const Part& part : parts_)
            for (int64_t t = 0; t < part.own();) {
                const int64_t count = std::min(kTokensAtOnce, part.own() - t);
                const int64_t position = part.shared + t;
                hidden_.narrow(0, part.first + t, count)
                    .copy_(model.embed(idTensor(part.text->ids.data() + position, 1, count), position).select(0, 0));
                t += count;
            }
        model.releaseEmbedding();
    }

    int64_t rows() const { return rows_; }

    void advance(const Block& block, const std::stop_token& stop, const std::function<void(double)>& onPart) {
        KeyValueCache cache;
        for (const Part& part : parts_) {
            cache.length = part.shared;  // what the text before had beyond that is written over
            for (int64_t t = 0; t < part.own();) {
                checkStop(stop);
                const int64_t count = std::min(kTokensAtOnce, part.own() - t);
                at::Tensor rows = hidden_.narrow(0, part.first + t, count);
                rows.copy_(block.forward(rows.unsqueeze(0).to(model_.device().place()), {}, &cache).select(0, 0));
                t += count;
            }
            onPart(double(part.first + part.own()) / double(rows_));
        }
    }

    void score(std::vector<TextScore>& scores, const std::stop_token& stop) const {
        std::vector<int64_t> rowOf;  // of each position of the text at hand
        for (const Part& part : parts_) {
            checkStop(stop);
            rowOf.resize(size_t(part.shared));
            for (int64_t t = 0; t < part.own(); ++t) rowOf.push_back(part.first + t);
            const int64_t count = part.text->scored, begin = part.inputs() - count;
            at::Tensor rows = at::empty({count, hidden_.size(1)}, hidden_.options());
            for (int64_t t = 0; t < count; ++t) rows.select(0, t).copy_(hidden_.select(0, rowOf[size_t(begin + t)]));
            scores[part.index] = scored(rows, part.text->ids.data() + begin + 1);
        }
    }

private:
    TextScore scored(const at::Tensor& rows, const int32_t* next) const {
        const int64_t count = rows.size(0);
        const at::Device place = model_.device().place();
        const at::Tensor logits = model_.head(model_.finalNorm(rows.to(place))).contiguous();
        const at::Tensor ids = idTensor(next, 1, count).view({count}).to(place);
        const at::Tensor chosen = logits.gather(1, ids.unsqueeze(1)).view({count});
        const at::Tensor log = chosen.sub(at::logsumexp(logits, 1)).to(at::kCPU);
        TextScore score;
        for (int64_t i = 0; i < count; ++i) score.logLikelihood += double(log.const_data_ptr<float>()[i]);
        if (!std::isfinite(score.logLikelihood))
            throw Error("the model's outputs are not finite", {}, "Activations overflowed: the weights are damaged or the quantization failed.");
        score.greedy = at::argmax(logits, 1).equal(ids);
        return score;
    }

    const LanguageModel& model_;
    std::vector<Part> parts_;
    int64_t rows_ = 0;
    at::Tensor hidden_;  ///< [rows, H], on the CPU
};

}  // namespace

ScoredText scoredText(const Tokenizer& tokenizer, const std::string& context, const std::string& continuation, int64_t maxPositions) {
    const EncodeOptions plain{.addSpecial = false};
    std::string before = context;
    while (const size_t bytes = trailingSpace(before)) before.resize(before.size() - bytes);
    ScoredText text;
    text.ids = tokenizer.encode(context + continuation, plain);
    size_t contextIds = tokenizer.encode(before, plain).size();
    if (before.empty()) {
        if (tokenizer.eos() < 0) throw Error("a question has no context, and the tokenizer no end-of-text token to stand for it", continuation.substr(0, 60));
        text.ids.insert(text.ids.begin(), tokenizer.eos());
        contextIds = 1;
    }
    if (contextIds >= text.ids.size())
        throw Error("the text has no tokens of its own behind its context", continuation.substr(0, 60), "Give it another context or another text.");
    text.scored = int64_t(text.ids.size() - contextIds);
    if (text.scored > maxPositions)
        throw Error("the text has " + std::to_string(text.scored) + " tokens, the model sees " + std::to_string(maxPositions), continuation.substr(0, 60));
    const int64_t seen = maxPositions + 1;
    if (int64_t(text.ids.size()) > seen) text.ids.erase(text.ids.begin(), text.ids.end() - seen);
    return text;
}

std::vector<TextScore> scoreTexts(const std::shared_ptr<const ModelSource>& source, const std::vector<ScoredText>& texts,
                                  const PerplexityOptions& options, std::stop_token stop,
                                  const std::function<void(double fraction, int block)>& progress) {
    const at::NoGradGuard guard;
    const LanguageModel model(source, options.arithmetic, options.device);
    for (const ScoredText& text : texts)
        if (text.scored < 1 || text.scored >= int64_t(text.ids.size())) throw Error("a text to be scored has no tokens, or no context");
    const std::vector<Part> parts = inOrder(texts);
    double all = 0;
    for (const Part& part : parts) all += double(part.own());
    const int64_t rowsAtOnce = std::max<int64_t>(1, int64_t(options.activationBytes) / (model.info().hidden * int64_t(sizeof(float))));
    const int blocks = model.info().blocks;
    std::vector<TextScore> scores(texts.size());
    double done = 0;
    for (size_t first = 0; first < parts.size();) {
        size_t end = first + 1;
        int64_t rows = parts[first].inputs();
        while (end < parts.size() && rows + parts[end].own() <= rowsAtOnce) rows += parts[end++].own();
        double share = 0;
        for (size_t i = first; i < end; ++i) share += double(parts[i].own()) / all;
        Chunk chunk(model, {parts.begin() + long(first), parts.begin() + long(end)});
        for (int b = 0; b < blocks; ++b) {
            checkStop(stop);
            chunk.advance(model.loadBlock(b, model.device(), stop), stop, [&](double fraction) {
                if (progress) progress(done + share * (b + fraction) / (blocks + 1), b);
            });
        }
        if (progress) progress(done + share * blocks / (blocks + 1), -1);
        chunk.score(scores, stop);
        done += share;
        first = end;
    }
    return scores;
}

}  // namespace owq
