// SPDX-License-Identifier: Apache-2.0
// A SentencePiece BPE model the way the fast tokenizers take it: its pieces become a vocabulary with ranked merges, and text
// goes through the same parts as that of a tokenizer.json.
#include <algorithm>
#include <tuple>

#include "core/base/file.h"
#include "core/text/bpe_words.h"
#include "core/text/limits.h"
#include "core/text/pipeline_tokenizer.h"
#include "core/text/sentencepiece_load.h"
#include "core/text/sentencepiece_proto.h"
#include "core/text/sentencepiece_tokenizer.h"
#include "core/text/tokenizer_settings.h"

namespace owq {
namespace {

// Every way to put a piece together from two others is a merge. Scores rank downwards, ids upwards; then the lengths decide.
BpeModel::Merges mergesOf(const std::vector<std::string>& pieces, const std::vector<float>& scores) {
    struct Merge {
        double rank;
        int64_t left, right;  ///< characters
        std::string a, b;
    };
    const BpeModel known = [&] {
        BpeModel::Vocabulary vocabulary;
        for (size_t id = 0; id < pieces.size(); ++id) vocabulary.emplace_back(pieces[id], int32_t(id));
        return BpeModel(vocabulary, {}, "pieces");
    }();
    const auto starts = [](char c) { return (uint8_t(c) & 0xc0) != 0x80; };
    std::vector<Merge> found;
    for (size_t id = 0; id < pieces.size(); ++id) {
        const std::string_view piece = pieces[id];
        const int64_t length = std::count_if(piece.begin(), piece.end(), starts);
        int64_t left = 0;
        for (size_t at = 0; at < piece.size(); ++at) {
            if (!starts(piece[at]) || left++ == 0) continue;
            const std::string_view a = piece.substr(0, at), b = piece.substr(at);
            if (known.find(a) < 0 || known.find(b) < 0) continue;
            found.push_back({scores.empty() ? double(id) : double(scores[id]), left - 1, length - left + 1, std::string(a), std::string(b)});
        }
    }
    const auto key = [](const Merge& m) { return std::tie(m.rank, m.left, m.right); };
    std::stable_sort(found.begin(), found.end(),
                     [&](const Merge& x, const Merge& y) { return scores.empty() ? key(x) < key(y) : key(x) > key(y); });
    BpeModel::Merges merges;
    merges.reserve(found.size());
    for (Merge& m : found) merges.emplace_back(std::move(m.a), std::move(m.b));
    return merges;
}

}  // namespace

std::shared_ptr<const Tokenizer> openSentencePieceAsBpe(const std::filesystem::path& file, SentencePieceRules rules) {
    const std::string where = file.string(), bytes = readText(file, limits::kSentencePieceBytes);
    const SentencePieceFacts facts = readSentencePieceFacts(bytes, where);
    if (facts.modelType != "BPE") throw Error("these rules are for BPE models, and this is a " + facts.modelType + " model", where);
    sentencepiece::SentencePieceProcessor processor;
    loadSentencePiece(processor, bytes, where);

    std::vector<std::string> pieces;
    std::vector<float> scores;
    BpeModel::Vocabulary vocabulary;
    for (int id = 0; id < processor.GetPieceSize(); ++id) {
        pieces.push_back(processor.IdToPiece(id));
        scores.push_back(processor.GetScore(id));
        if (!(scores.back() == scores.back())) throw Error("piece " + std::to_string(id) + " has no score", where);
        vocabulary.emplace_back(pieces.back(), id);
    }
    if (rules == SentencePieceRules::transformers5) scores.clear();
    const auto model = std::make_shared<const BpeModel>(vocabulary, mergesOf(pieces, scores), where);

    TokenizerSettings settings = readTokenizerSettings(file.parent_path());
    const auto own = [&](std::string& content, int id) {
        if (content.empty() && id >= 0) content = processor.IdToPiece(id);
        AddedToken token;
        token.content = content;
        settings.tokens.push_back(std::move(token));
    };
    own(settings.unknown, processor.unk_id());
    own(settings.bos, processor.bos_id());
    own(settings.eos, processor.eos_id());
    TokenizerParts parts;
    parts.added = resolveTokens(settings, [&](const std::string& content) { return model->find(content); });
    for (const AddedToken& token : parts.added.all())
        if (token.id >= model->size() + limits::kIdsBehindVocabulary)
            throw Error("added token " + token.content.substr(0, 80) + " has the id " + std::to_string(token.id) + ", far behind the pieces", where);
    const auto special = [&](const std::string& content) {
        const AddedToken* token = parts.added.byContent(content);
        return token ? token->id : -1;
    };
    parts.bos = special(settings.bos);
    parts.eos = special(settings.eos);
    if (settings.addBos.value_or(true) && parts.bos >= 0) parts.prefix = {parts.bos};
    if (settings.addEos.value_or(false) && parts.eos >= 0) parts.suffix = {parts.eos};

    BpeRules bpe;
    bpe.byteFallback = bpe.fuseUnknown = true;
    bpe.unknown = processor.unk_id();
    parts.model = std::make_shared<BpeWords>(model, bpe);
    parts.preTokenizer = PreTokenizer(
        parseJson(facts.addDummyPrefix ? R"({"type": "Metaspace", "prepend_scheme": "first", "split": false})"
                                       : R"({"type": "Metaspace", "prepend_scheme": "never", "split": false})", where), where);
    parts.decoder = PieceDecoder(parseJson(R"({"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]})", where), where);
    parts.name = std::string("SentencePiece BPE by the rules of ") +
                 (rules == SentencePieceRules::fast ? "fast tokenizers" : "transformers 5");
    return std::make_shared<PipelineTokenizer>(std::move(parts));
}

}  // namespace owq
