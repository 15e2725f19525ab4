// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/generate.h"

#include "core/generate/generator.h"
#include "core/model/model_source.h"
#include "core/model/task_source.h"
#include "core/text/tokenizer.h"

namespace owq {
namespace {

// Length of the longest prefix that does not end inside a UTF-8 sequence.
size_t wholeCharacters(const std::string& text) {
    size_t start = text.size();
    while (start > 0 && text.size() - start < 4 && (static_cast<unsigned char>(text[start - 1]) & 0xc0) == 0x80) --start;
    if (start == 0) return text.size();
    const auto lead = static_cast<unsigned char>(text[start - 1]);
    const size_t need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    return text.size() - (start - 1) < need ? start - 1 : text.size();
}

}  // namespace

GenerateResult generate(const GenerateOptions& options, Progress& progress, std::stop_token stop) {
    progress.report("Loading the model", options.model.filename().string(), 0);
    const auto device = openDevice(options.device);
    const auto model = withTask(ModelSource::open(options.model, options.modelFolder), options.task);
    const auto tokenizer = openTokenizer(model->tokenizerFolder());
    const std::vector<int32_t> prompt = tokenizer->encode(options.prompt);
    Generator generator(model, options.arithmetic, stop, device);
    GenerateResult result;
    if (device) result.device = deviceName(*device);
    result.promptTokens = int64_t(prompt.size());

    // Pieces are decoded together with the prompt's end: SentencePiece drops a leading space of a text's first piece.
    std::vector<int32_t> all = prompt;
    const size_t promptBytes = tokenizer->decode(all, true).size();
    size_t shown = promptBytes;
    progress.report("Generating", "", 0);
    const Generation g = generator.generate(
        prompt, {options.maxTokens, options.temperature, options.topP, options.seed},
        [&](int32_t id) {
            all.push_back(id);
            const std::string text = tokenizer->decode(all, true);
            const size_t whole = wholeCharacters(text);
            if (options.onText && whole > shown) options.onText(text.substr(shown, whole - shown));
            shown = std::max(shown, whole);
            progress.report("Generating", "", double(all.size() - prompt.size()) / double(std::max<int64_t>(1, options.maxTokens)));
            return true;
        },
        stop);
    const std::string text = tokenizer->decode(all, true);
    if (options.onText && text.size() > shown) options.onText(text.substr(shown));
    result.text = text.substr(std::min(promptBytes, text.size()));
    result.ids = g.ids;
    result.promptSeconds = g.promptSeconds;
    result.decodeSeconds = g.decodeSeconds;
    result.decodeSteps = g.decodeSteps;
    result.stopReason = g.stopReason;
    result.arithmetic = options.arithmetic;
    return result;
}

Json toJson(const GenerateResult& r) {
    return {{"text", r.text}, {"ids", r.ids}, {"prompt_tokens", r.promptTokens}, {"prompt_seconds", r.promptSeconds},
            {"decode_seconds", r.decodeSeconds}, {"prompt_tokens_per_second", r.promptSeconds > 0 ? double(r.promptTokens) / r.promptSeconds : 0.0},
            {"decode_tokens_per_second", r.decodeRate()}, {"stop_reason", r.stopReason},
            {"arithmetic", arithmeticName(r.arithmetic)}, {"device", r.device}};
}

}  // namespace owq
