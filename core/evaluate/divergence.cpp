// SPDX-License-Identifier: Apache-2.0
#include "core/evaluate/divergence.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/base/error.h"
#include "core/evaluate/base_file.h"
#include "core/evaluate/scoring_pass.h"
#include "kernels/thread_pool.h"

namespace owq {
namespace {

constexpr double kShares[] = {0, 0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999, 1};

void checkComparable(const ModelInfo& model, const ModelInfo& original, int64_t length) {
    if (model.vocabulary != original.vocabulary)
        throw Error("the vocabularies differ: the model has " + std::to_string(model.vocabulary) +
                        " tokens, the original " + std::to_string(original.vocabulary),
                    "comparison", "Compare a model with the one that it was made from");
    for (const auto& [info, who] : {std::pair(&model, "model"), std::pair(&original, "original")})
        if (length > info->maxPositions)
            throw Error("windows of " + std::to_string(length) + " tokens are longer than the " + who +
                            "'s maximum of " + std::to_string(info->maxPositions),
                        "comparison", "Choose a shorter sequence length");
}

size_t documentOf(const TokenWindows& windows, int64_t token) {
    return size_t(std::upper_bound(windows.documents.begin(), windows.documents.end(), token) - windows.documents.begin() - 1);
}

void addTo(DocumentDivergence& sum, const TokenDivergence& token) {
    ++sum.tokens;
    sum.kl += token.kl;
    sum.logPerplexityDifference += token.lossChange;
    sum.top1Agreement += token.sameTop;
}

/// Sums to means; of documents without a token nothing remains.
std::vector<DocumentDivergence> meansOf(std::vector<DocumentDivergence> sums) {
    for (size_t d = 0; d < sums.size(); ++d) {
        sums[d].document = int64_t(d);
        for (double* value : {&sums[d].kl, &sums[d].logPerplexityDifference, &sums[d].top1Agreement}) *value /= double(sums[d].tokens);
    }
    std::erase_if(sums, [](const DocumentDivergence& d) { return d.tokens == 0; });
    return sums;
}

}  // namespace

WindowMean windowMean(const std::vector<double>& windows) {
    WindowMean out;
    const auto n = double(windows.size());
    for (const double m : windows) out.mean += m / n;
    if (windows.size() < 2) return out;
    double squares = 0;
    for (const double m : windows) squares += (m - out.mean) * (m - out.mean);
    out.standardError = std::sqrt(squares / (n - 1) / n);
    return out;
}

// With logits x, y shifted by their maxima and p = e^x / S: KL = Σ p (x - y) - log S + log S'. Both normalizers come out
// of the same sweep, and a constant added to one model's logits changes nothing.
TokenDivergence tokenDivergence(const float* original, const float* model, int64_t vocabulary, int32_t next) {
    const float* topOriginal = std::max_element(original, original + vocabulary);
    const float* topModel = std::max_element(model, model + vocabulary);
    double sumOriginal = 0, sumModel = 0, moved = 0;
    for (int64_t i = 0; i < vocabulary; ++i) {
        const double x = double(original[i]) - double(*topOriginal), y = double(model[i]) - double(*topModel);
        const double weight = std::exp(x);
        sumOriginal += weight;
        sumModel += std::exp(y);
        if (weight > 0) moved += weight * (x - y);  // a token ruled out by both adds nothing, not 0 · ∞
    }
    const double before = std::exp(double(original[next]) - double(*topOriginal)) / sumOriginal;
    const double after = std::exp(double(model[next]) - double(*topModel)) / sumModel;
    const double normalizers = std::log(sumModel) - std::log(sumOriginal);
    const double lossChange = (double(original[next]) - double(*topOriginal)) - (double(model[next]) - double(*topModel)) + normalizers;
    return {moved / sumOriginal + normalizers, topOriginal - original == topModel - model, after - before, lossChange};
}

std::vector<Quantile> quantiles(std::vector<float>& values) {
    std::vector<Quantile> out;
    if (values.empty()) return out;
    std::sort(values.begin(), values.end());
    for (const double share : kShares) {
        const double at = share * double(values.size() - 1);
        const size_t below = size_t(at), above = std::min(below + 1, values.size() - 1);
        out.push_back({share, double(values[below]) + (at - double(below)) * (double(values[above]) - double(values[below]))});
    }
    return out;
}

DivergenceResult divergence(const std::shared_ptr<const ModelSource>& model,
                            const Original& original, const TokenWindows& windows,
                            const PerplexityOptions& options, std::stop_token stop,
                            const std::function<void(double fraction, bool original, int block)>& progress) {
    const int64_t vocabulary = model->info().vocabulary;
    const bool kept = !original.base.empty() && std::filesystem::exists(original.base);
    if (!kept && !original.source)
        throw Error("there is no such file, and no original to write it from", original.base.string(), "Give the original as well: --against MODEL");
    if (original.source) checkComparable(model->info(), original.source->info(), windows.length);
    std::optional<const BaseFile> base;
    std::optional<BaseFileWriter> writer;
    if (kept) {
        base.emplace(original.base, windows, vocabulary);
        if (!original.name.empty() && original.name != base->original())
            throw Error("was written from " + base->original() + ", not from " + original.name, original.base.string(),
                        "Choose another file, or leave out the original to use this one");
        if (!original.state.empty() && original.state != base->state())
            throw Error("was written from " + base->original() + " before that model's files were changed", original.base.string(),
                        "Choose another file, or leave out the original to use this one as it is");
    } else if (!original.base.empty()) {
        writer.emplace(original.base, windows, vocabulary, original.name, original.state);
    }
    std::vector<std::shared_ptr<const ModelSource>> computed{model};
    if (!base) computed.push_back(original.source);
    LossSum modelLoss(windows, "the model"), originalLoss(windows, "the original");
    DivergenceResult result;
    result.windowKl.resize(size_t(windows.count()));
    result.positionKl.resize(size_t(std::max<int64_t>(0, windows.length - 1)));
    std::vector<DocumentDivergence> documents(windows.documents.size());
    std::vector<float> kls, changes;
    double squares = 0;
    std::vector<TokenDivergence> tokens;
    visitLogits(
        computed, windows, options, stop,
        [&](double fraction, int index, int block) {
            if (progress) progress(fraction, index == 1, block);
        },
        [&](const ScoredRows& rows) {
            int64_t position = rows.next - windows.window(rows.window) - 1;
            const at::Tensor original = base ? base->logProbabilities(rows.window, position, rows.logits[0].size(0)) : rows.logits[1];
            modelLoss.add(rows, rows.logits[0]);
            originalLoss.add(rows, original);
            const at::Tensor ofModel = rows.logits[0].to(at::kCPU), ofOriginal = original.to(at::kCPU);
            if (writer) writer->add(ofOriginal);
            const float *y = ofModel.data_ptr<float>(), *x = ofOriginal.data_ptr<float>();
            tokens.resize(size_t(rows.logits[0].size(0)));
            kernels::parallelFor(int64_t(tokens.size()), 1, [&](int64_t begin, int64_t end) {
                for (int64_t i = begin; i < end; ++i)
                    tokens[size_t(i)] = tokenDivergence(x + i * vocabulary, y + i * vocabulary, vocabulary, rows.next[i]);
            });
            double& sum = result.windowKl[size_t(rows.window)];
            int64_t index = rows.next - windows.ids.data();
            for (const TokenDivergence& token : tokens) {
                sum += token.kl;
                result.positionKl[size_t(position++)] += token.kl / double(windows.count());
                result.top1Agreement += token.sameTop;
                squares += token.probabilityChange * token.probabilityChange;
                kls.push_back(float(token.kl));
                changes.push_back(float(token.probabilityChange));
                if (!documents.empty()) addTo(documents[documentOf(windows, index)], token);
                ++index;
            }
            if (!std::isfinite(sum))
                throw Error("the model rules out tokens that the original does not, in window " +
                                std::to_string(rows.window) + ": the divergence is infinite",
                            "comparison", "Compare perplexities only");
        });
    if (writer) writer->commit();
    result.model = modelLoss.result();
    result.original = originalLoss.result();
    for (double& kl : result.windowKl) kl /= double(windows.length - 1);
    result.kl = windowMean(result.windowKl);
    std::vector<double> difference = result.model.windowNll;
    for (size_t w = 0; w < difference.size(); ++w) difference[w] -= result.original.windowNll[w];
    result.logPerplexityDifference = windowMean(difference);
    result.top1Agreement /= double(result.model.tokens);
    result.rmsProbabilityChange = std::sqrt(squares / double(result.model.tokens));
    result.documents = meansOf(std::move(documents));
    result.klQuantiles = quantiles(kls);
    result.probabilityChange = quantiles(changes);
    return result;
}

}  // namespace owq
