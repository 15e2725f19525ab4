// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/generate.h"

#include <algorithm>
#include <optional>

#include "core/base/memory.h"
#include "core/generate/generator.h"
#include "core/model/model_source.h"
#include "core/model/task_source.h"
#include "core/pack/task_file.h"
#include "core/text/tokenizer.h"

namespace owq {
namespace fs = std::filesystem;
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

constexpr size_t kHeld = 2;  // models: the two of a comparison

/// Of a task file: a tuning writes another one to its place. Empty without a file.
std::string taskState(const fs::path& file) {
    if (file.empty()) return {};
    std::error_code error;
    const auto size = fs::file_size(file, error);
    const auto written = fs::last_write_time(file, error);
    return file.string() + (error ? "" : " " + std::to_string(size) + " " + std::to_string(written.time_since_epoch().count()));
}

/// Of a model held: what makes it another one, the moments its files were written included.
std::string identity(const GenerateOptions& o) {
    std::string key = deviceKindName(o.device) + " " + arithmeticName(o.arithmetic);
    for (const fs::path& path : {o.model, o.modelFolder}) {
        if (path.empty()) continue;
        std::error_code error;
        key += "\n" + fs::weakly_canonical(path, error).string();
        for (const fs::path& file : {path, path / "config.json", path / "recipe.json", path / "result.json"})
            if (const auto written = fs::last_write_time(file, error); !error) key += " " + std::to_string(written.time_since_epoch().count());
    }
    // Weak columns can only be changed on the CPU.
    if (o.device != DeviceKind::cpu) key += "\n" + taskState(o.task);
    return key;
}

}  // namespace

struct GenerateSession::Held {
    Held(std::string key, const std::shared_ptr<const ModelSource>& source, const GenerateOptions& o, std::shared_ptr<const Device> computes,
         const std::stop_token& stop)
        : identity(std::move(key)), device(std::move(computes)), tokenizer(openTokenizer(source->tokenizerFolder())), generator(source, o.arithmetic, stop, device) {}

    /// Weak columns as the options say.
    void use(const fs::path& file, const std::stop_token& stop) {
        const std::string asked = taskState(file);
        if (device || asked == task) return;
        const Task read = file.empty() ? Task{} : readTask(file);
        task.reset();
        generator.useTask(read, file.string(), stop);
        task = asked;
    }

    std::string identity;
    std::optional<std::string> task = "";  ///< state of the one in use; nothing: perhaps not of all linears
    std::shared_ptr<const Device> device;
    std::shared_ptr<const Tokenizer> tokenizer;
    Generator generator;
};

GenerateSession::GenerateSession() = default;
GenerateSession::~GenerateSession() = default;

void GenerateSession::close() { held_.clear(); }

GenerateSession::Held& GenerateSession::hold(const GenerateOptions& options, std::stop_token stop) {
    const std::string key = identity(options);
    const auto found = std::find_if(held_.begin(), held_.end(), [&](const auto& h) { return h->identity == key; });
    if (found != held_.end()) {
        std::rotate(found, found + 1, held_.end());
    } else {
        const auto device = openDevice(options.device);
        auto source = ModelSource::open(options.model, options.modelFolder);
        if (device) source = withTask(source, options.task);
        if (held_.size() >= kHeld) held_.erase(held_.begin());
        // Two models are a convenience: where memory is short, the new one has it alone.
        if (availableMemoryBytes() < source->info().bytes) close();
        held_.push_back(std::make_unique<Held>(key, source, options, device, stop));
        ++loads_;
    }
    held_.back()->use(options.task, stop);
    return *held_.back();
}

GenerateResult generate(const GenerateOptions& options, Progress& progress, std::stop_token stop) {
    return GenerateSession().generate(options, progress, stop);
}

GenerateResult GenerateSession::generate(const GenerateOptions& options, Progress& progress, std::stop_token stop) {
    progress.report("Loading the model", options.model.filename().string(), 0);
    Held& held = hold(options, stop);
    const std::shared_ptr<const Tokenizer>& tokenizer = held.tokenizer;
    Generator& generator = held.generator;
    const std::vector<int32_t> prompt = tokenizer->encode(options.prompt);
    GenerateResult result;
    if (held.device) result.device = deviceName(*held.device);
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
    result.cacheBytes = g.cacheBytes;
    result.stopReason = g.stopReason;
    result.arithmetic = options.arithmetic;
    return result;
}

Json toJson(const GenerateResult& r) {
    return {{"text", r.text}, {"ids", r.ids}, {"prompt_tokens", r.promptTokens}, {"prompt_seconds", r.promptSeconds},
            {"decode_seconds", r.decodeSeconds}, {"prompt_tokens_per_second", r.promptSeconds > 0 ? double(r.promptTokens) / r.promptSeconds : 0.0},
            {"decode_tokens_per_second", r.decodeRate()}, {"cache_bytes", r.cacheBytes}, {"stop_reason", r.stopReason},
            {"arithmetic", arithmeticName(r.arithmetic)}, {"device", r.device}};
}

}  // namespace owq
