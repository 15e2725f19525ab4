// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/evaluate.h"

#include <chrono>

#include "core/base/memory.h"
#include "core/jobs/run_description.h"
#include "core/model/model_source.h"
#include "core/model/task_source.h"
#include "core/text/corpus.h"

namespace owq {
namespace {

namespace fs = std::filesystem;

/// Same ids from both tokenizers, or the two models would be asked about different texts. A model that comes without a
/// tokenizer is taken at its word.
void checkSameTokens(const std::vector<int32_t>& ids, const EvaluateOptions& options, Protocol protocol, const ModelSource& model,
                     const ModelSource& original, int64_t sequenceLength) {
    std::error_code unknown;
    if (fs::equivalent(model.tokenizerFolder(), original.tokenizerFolder(), unknown)) return;
    std::shared_ptr<const Tokenizer> tokenizer;
    try {
        tokenizer = openTokenizer(original.tokenizerFolder());
    } catch (const Error&) {
        return;
    }
    if (evaluationTokens(options.text, protocol, *tokenizer, sequenceLength) != ids)
        throw Error("the tokenizers of the two models make different tokens of this text", options.against.string(),
                    "Compare a model with the one that it was made from");
}

Json quantilesToJson(const std::vector<Quantile>& quantiles) {
    Json json = Json::array();
    for (const Quantile& q : quantiles) json.push_back({{"share", q.share}, {"value", q.value}});
    return json;
}

}  // namespace

Json toJson(const WindowMean& m) {
    return {{"mean", m.mean}, {"standard_error", m.standardError ? Json(*m.standardError) : Json()}};
}

EvaluateResult evaluate(const EvaluateOptions& options, Progress& progress, std::stop_token stop) {
    const auto start = std::chrono::steady_clock::now();
    if (options.text.empty() == options.tokens.empty())
        throw Error(options.text.empty() ? "no text is given" : "both a text and tokens are given", "evaluation",
                    "Give one of the two: a text file with its protocol, or a safetensors file with input_ids");
    if (options.layers && options.against.empty())
        throw Error("errors of layers need an original", "evaluation", "Give the model that this one was made from");
    if (options.maxWindows < 0) throw Error("the number of windows must not be negative", "evaluation");
    const auto device = openDevice(options.device);
    const auto model = withTask(ModelSource::open(options.model, options.modelFolder), options.task);
    const auto original =
        options.against.empty() ? nullptr : ModelSource::open(options.against, options.againstFolder);
    EvaluateResult result;
    if (device) result.device = deviceName(*device);
    result.against = options.against.string();
    result.base = options.base.string();
    result.model = options.model.string();
    result.task = options.task.string();
    result.sequenceLength = resolveSequenceLength(options.sequenceLength, model->info());
    std::vector<int32_t> ids;
    std::vector<int64_t> documents;
    progress.report("Reading the text", "", 0);
    if (!options.text.empty()) {
        const Protocol protocol = protocolFromName(options.protocol);
        const auto tokenizer = openTokenizer(model->tokenizerFolder());
        ids = evaluationTokens(options.text, protocol, *tokenizer, result.sequenceLength);
        if (original) checkSameTokens(ids, options, protocol, *model, *original, result.sequenceLength);
        if (original || !options.base.empty()) {
            if (auto starts = documentStarts(options.text, protocol, *tokenizer, ids))
                documents = std::move(*starts);
            else
                result.warnings.push_back("The tokens do not spell " + options.text.filename().string() +
                                          " byte for byte, so that its documents cannot be told apart: there is no divergence of each");
        }
        result.protocol = protocolName(protocol);
        result.text = options.text.filename().string();
    } else {
        ids = readTokenFile(options.tokens);
        result.protocol = "tokens";
        result.text = options.tokens.filename().string();
    }
    checkStop(stop);
    TokenWindows windows = evaluationWindows(ids, result.sequenceLength, options.maxWindows, model->info().vocabulary);
    windows.documents = std::move(documents);
    const auto itemOf = [](int block) { return block < 0 ? "head" : "block " + std::to_string(block + 1); };
    PerplexityOptions pass;
    pass.arithmetic = options.arithmetic;
    pass.device = device;
    PerplexityResult p;
    if (original || !options.base.empty()) {
        const Original of{original, options.base, original ? fs::weakly_canonical(options.against).string() : "", original ? fileState(*original) : ""};
        result.divergence = divergence(model, of, windows, pass, stop, [&](double fraction, bool ofOriginal, int block) {
            progress.report("Measuring divergence", itemOf(block) + (ofOriginal ? " of the original" : ""), fraction);
        });
        p = result.divergence->model;
        if (options.layers)
            result.layers = layerErrors(model, original, windows, stop, [&](double fraction, int block) {
                progress.report("Comparing outputs of layers", itemOf(block), fraction);
            });
    } else {
        p = perplexity(model, windows, pass, stop, [&](double fraction, int block) {
            progress.report("Measuring perplexity", itemOf(block), fraction);
        });
    }
    result.perplexity = p.perplexity;
    result.nll = p.nll;
    result.tokens = p.tokens;
    result.windows = windows.count();
    result.windowNll = p.windowNll;
    result.arithmetic = arithmeticName(options.arithmetic);
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    result.peakMemoryBytes = peakMemoryBytes();
    progress.report("Measured", "", 1);
    return result;
}

Json toJson(const EvaluateResult& r) {
    Json json = {{"perplexity", r.perplexity}, {"tokens", r.tokens}, {"windows", r.windows}, {"nll", r.nll}, {"protocol", r.protocol},
                 {"sequence_length", r.sequenceLength}, {"arithmetic", r.arithmetic}, {"device", r.device}, {"model", r.model}, {"text", r.text},
                 {"window_nll", r.windowNll}, {"seconds", r.seconds}, {"peak_memory_bytes", r.peakMemoryBytes}};
    if (!r.task.empty()) json["task"] = r.task;
    if (!r.warnings.empty()) json["warnings"] = r.warnings;
    if (!r.divergence) return json;
    const DivergenceResult& d = *r.divergence;
    json["kl"] = toJson(d.kl);
    json["top1_agreement"] = d.top1Agreement;
    json["log_perplexity_difference"] = toJson(d.logPerplexityDifference);
    json["window_kl"] = d.windowKl;
    json["position_kl"] = d.positionKl;
    for (const DocumentDivergence& one : d.documents)
        json["documents"].push_back({{"document", one.document + 1}, {"tokens", one.tokens}, {"kl", one.kl},
                                     {"log_perplexity_difference", one.logPerplexityDifference}, {"top1_agreement", one.top1Agreement}});
    json["kl_quantiles"] = quantilesToJson(d.klQuantiles);
    json["probability_change"] = {{"rms", d.rmsProbabilityChange}, {"quantiles", quantilesToJson(d.probabilityChange)}};
    for (const LayerError& e : r.layers) {
        const auto one = [](const OutputError& o) { return Json{{"relative", o.relative}, {"cosine", o.cosine}}; };
        json["layers"].push_back({{"name", e.name}, {"block", e.block}, {"local", one(e.local)}, {"felt", one(e.felt)}});
    }
    if (!r.base.empty()) json["base"] = r.base;
    json["original"] = {{"model", r.against}, {"perplexity", d.original.perplexity}, {"nll", d.original.nll},
                        {"window_nll", d.original.windowNll}};
    return json;
}

}  // namespace owq
