// SPDX-License-Identifier: Apache-2.0
#include "core/text/bpe_files.h"

#include <algorithm>

#include "core/base/file.h"
#include "core/text/bpe_words.h"
#include "core/text/limits.h"
#include "core/text/pipeline_tokenizer.h"
#include "core/text/token_checks.h"
#include "core/text/tokenizer_settings.h"
#include "core/text/utf8.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
constexpr const char* kGpt2Special = "<|endoftext|>";  // what GPT-2's class means when no file names a token

BpeModel::Vocabulary readVocabulary(const fs::path& file) {
    const SortedJson json = readSortedJson(file);
    if (!json.is_object()) throw Error("expected a JSON object of tokens and ids", file.string());
    BpeModel::Vocabulary vocabulary;
    for (const auto& [token, id] : json.items())
        vocabulary.emplace_back(token, checkedId(Json(id), int64_t(1) << 31, file.string() + ": \"" + token.substr(0, 80) + "\""));
    return vocabulary;
}

BpeModel::Merges readMerges(const fs::path& file) {
    const std::string text = readText(file, limits::kVocabularyBytes);
    requireUtf8(text, file.string());
    BpeModel::Merges merges;
    size_t number = 0;
    for (size_t from = 0; from < text.size();) {
        size_t end = text.find('\n', from);
        if (end == std::string::npos) end = text.size();
        std::string_view line(text.data() + from, end - from);
        from = end + 1;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (++number == 1 && line.starts_with("#version")) continue;
        if (line.empty()) continue;
        const size_t space = line.find(' ');
        if (space == 0 || space == std::string_view::npos || space + 1 == line.size() ||
            line.find(' ', space + 1) != std::string_view::npos)
            throw Error("line " + std::to_string(number) + " is not two tokens parted by one space", file.string());
        merges.emplace_back(line.substr(0, space), line.substr(space + 1));
    }
    return merges;
}

}  // namespace

std::shared_ptr<const Tokenizer> openBpeFiles(const fs::path& vocab, const fs::path& merges) {
    refusePointer(vocab);
    refusePointer(merges);
    TokenizerSettings settings = readTokenizerSettings(vocab.parent_path());
    static constexpr std::string_view kKnownClasses[] = {"", "GPT2Tokenizer", "PreTrainedTokenizer", "TokenizersBackend"};
    if (std::find(std::begin(kKnownClasses), std::end(kKnownClasses), settings.tokenizerClass) == std::end(kKnownClasses))
        throw Error("tokenizer class " + settings.tokenizerClass + " is not read from vocab.json and merges.txt",
                    vocab.string(), "Put its tokenizer.json beside them");

    TokenizerParts parts;
    const auto model = std::make_shared<const BpeModel>(readVocabulary(vocab), readMerges(merges), vocab.string());
    const auto idOf = [&](const std::string& token) { return model->find(token); };
    for (std::string* content : {&settings.bos, &settings.eos, &settings.unknown})
        if (content->empty() && idOf(kGpt2Special) >= 0) {
            *content = kGpt2Special;
            settings.tokens.push_back(addedTokenFrom(Json(kGpt2Special), vocab.string()));
        }
    parts.added = resolveTokens(settings, idOf);
    const auto special = [&](const std::string& content) {
        const AddedToken* token = parts.added.byContent(content);
        return token ? token->id : -1;
    };
    parts.bos = special(settings.bos);
    parts.eos = special(settings.eos);
    BpeRules rules;
    rules.byteLevel = true;
    rules.unknown = special(settings.unknown);
    parts.model = std::make_shared<BpeWords>(model, rules);
    // OPT's files say add_bos_token; where they are missing its config.json still tells the family.
    if (settings.addBos.value_or(settings.modelType == "opt") && parts.bos >= 0) parts.prefix = {parts.bos};
    parts.preTokenizer = PreTokenizer::gpt2(settings.addPrefixSpace.value_or(false));
    parts.decoder = PieceDecoder::byteLevel();
    parts.name = parts.model->name();
    return std::make_shared<PipelineTokenizer>(std::move(parts));
}

}  // namespace owq
