// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/evaluate.h"

#include <chrono>

#include "core/base/memory.h"
#include "core/evaluate/perplexity.h"
#include "core/jobs/run_description.h"
#include "core/model/model_source.h"
#include "core/text/corpus.h"

namespace owq {

EvaluateResult evaluate(const EvaluateOptions& options, Progress& progress, std::stop_token stop) {
    const auto start = std::chrono::steady_clock::now();
    if (options.text.empty() == options.tokens.empty())
        throw Error(options.text.empty() ? "no text is given" : "both a text and tokens are given", "evaluation",
                    "Give one of the two: a text file with its protocol, or a safetensors file with input_ids");
    if (options.maxWindows < 0) throw Error("the number of windows must not be negative", "evaluation");
    const auto model = ModelSource::open(options.model, options.modelFolder);
    EvaluateResult result;
    result.model = options.model.string();
    result.sequenceLength = resolveSequenceLength(options.sequenceLength, model->info());
    std::vector<int32_t> ids;
    progress.report("Reading the text", "", 0);
    if (!options.text.empty()) {
        const Protocol protocol = protocolFromName(options.protocol);
        const auto tokenizer = openTokenizer(model->tokenizerFolder());
        ids = evaluationTokens(options.text, protocol, *tokenizer, result.sequenceLength);
        result.protocol = protocolName(protocol);
        result.text = options.text.filename().string();
    } else {
        ids = readTokenFile(options.tokens);
        result.protocol = "tokens";
        result.text = options.tokens.filename().string();
    }
    checkStop(stop);
    const TokenWindows windows = evaluationWindows(ids, result.sequenceLength, options.maxWindows, model->info().vocabulary);
    const PerplexityResult p = perplexity(model, windows, {}, stop, [&](double fraction, int block) {
        progress.report("Measuring perplexity", block < 0 ? "head" : "block " + std::to_string(block + 1), fraction);
    });
    result.perplexity = p.perplexity;
    result.nll = p.nll;
    result.tokens = p.tokens;
    result.windows = windows.count();
    result.windowNll = p.windowNll;
    result.dtype = "F32";
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    result.peakMemoryBytes = peakMemoryBytes();
    progress.report("Measured", "", 1);
    return result;
}

Json toJson(const EvaluateResult& r) {
    return {{"perplexity", r.perplexity}, {"tokens", r.tokens}, {"windows", r.windows}, {"nll", r.nll}, {"protocol", r.protocol},
            {"sequence_length", r.sequenceLength}, {"dtype", r.dtype}, {"model", r.model}, {"text", r.text},
            {"window_nll", r.windowNll}, {"seconds", r.seconds}, {"peak_memory_bytes", r.peakMemoryBytes}};
}

}  // namespace owq
