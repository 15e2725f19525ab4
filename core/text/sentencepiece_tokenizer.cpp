// SPDX-License-Identifier: Apache-2.0
#include "core/text/sentencepiece_tokenizer.h"

#include <algorithm>
#include <unordered_map>

#include "core/base/file.h"
#include "core/text/added_tokens.h"
#include "core/text/limits.h"
#include "core/text/sentencepiece_load.h"
#include "core/text/sentencepiece_proto.h"
#include "core/text/token_checks.h"
#include "core/text/tokenizer_settings.h"
#include "core/text/utf8.h"

namespace owq {
namespace {

using sentencepiece::SentencePieceProcessor;
constexpr std::string_view kSpacePiece = "\xe2\x96\x81";  // "▁" stands for a space

std::string spaced(std::string_view piece) {
    std::string text;
    for (size_t i = 0; i < piece.size();) {
        const bool space = piece.substr(i).starts_with(kSpacePiece);
        text += space ? ' ' : piece[i];
        i += space ? kSpacePiece.size() : 1;
    }
    return text;
}

class SentencePieceTokenizer : public Tokenizer {
public:
    explicit SentencePieceTokenizer(const std::filesystem::path& file);

    std::vector<int32_t> encode(std::string_view utf8, const EncodeOptions& options) const override;
    std::string decode(std::span<const int32_t> ids, bool skipSpecial) const override;
    std::string piece(int32_t id) const override;
    int64_t size() const override { return size_; }
    int32_t bos() const override { return bos_; }
    int32_t eos() const override { return eos_; }
    int32_t unknown() const override { return plain_.unk_id(); }
    std::string description() const override {
        return "SentencePiece " + facts_.modelType + ", " + std::to_string(plain_.GetPieceSize()) + " pieces";
    }

private:
    std::vector<int> ids(const SentencePieceProcessor& processor, std::string_view text) const;
    void encodePlain(std::string_view text, std::vector<int32_t>& out) const;
    void encodeMatched(std::string_view text, std::vector<int32_t>& out) const;
    void encodeContinued(std::string_view text, std::vector<int32_t>& out) const;
    bool special(int32_t id) const;
    std::string decodeRun(std::span<const int32_t> ids, bool dropLeadingSpace) const;

    std::string where_;
    SentencePieceProcessor plain_;      ///< the file as it is
    SentencePieceProcessor continued_;  ///< the same without the leading space piece; loaded where it is needed
    SentencePieceFacts facts_;
    AddedTokens added_;
    bool legacy_ = true, addBos_ = true, addEos_ = false;
    int32_t bos_ = -1, eos_ = -1;
    int64_t size_ = 0;
    std::string unknownText_;
    size_t unknownPieces_ = 0;          ///< pieces that continued_ spells unknownText_ with
};

SentencePieceTokenizer::SentencePieceTokenizer(const std::filesystem::path& file) : where_(file.string()) {
    const std::string bytes = readText(file, limits::kSentencePieceBytes);
    facts_ = readSentencePieceFacts(bytes, where_);
    loadSentencePiece(plain_, bytes, where_);
    const int64_t pieces = plain_.GetPieceSize();

    TokenizerSettings settings = readTokenizerSettings(file.parent_path());
    legacy_ = settings.legacy.value_or(true);
    const auto own = [&](std::string& content, int id, const char* usual) {
        if (content.empty()) content = id >= 0 ? plain_.IdToPiece(id) : usual;
        AddedToken token;
        token.content = content;
        settings.tokens.push_back(std::move(token));
    };
    own(settings.unknown, plain_.unk_id(), "<unk>");
    own(settings.bos, plain_.bos_id(), "<s>");
    own(settings.eos, plain_.eos_id(), "</s>");
    added_ = resolveTokens(settings, [&](const std::string& content) {
        const int id = plain_.PieceToId(content);
        return plain_.IdToPiece(id) == content ? id : -1;
    });
    size_ = pieces;
    for (const AddedToken& token : added_.all()) {
        if (token.id >= pieces + limits::kIdsBehindVocabulary)
            throw Error("added token " + token.content.substr(0, 80) + " has the id " + std::to_string(token.id) +
                            ", far behind the " + std::to_string(pieces) + " pieces", where_);
        size_ = std::max<int64_t>(size_, token.id + 1);
    }
    const auto id = [&](const std::string& content) {
        const AddedToken* token = added_.byContent(content);
        return token ? token->id : -1;
    };
    bos_ = id(settings.bos);
    eos_ = id(settings.eos);
    addBos_ = settings.addBos.value_or(true) && bos_ >= 0;
    addEos_ = settings.addEos.value_or(false) && eos_ >= 0;

    // A later field of a serialized message overrides an earlier one: normalizer_spec { add_dummy_prefix: false }.
    if (!legacy_ || facts_.wordsAreApart) loadSentencePiece(continued_, bytes + std::string("\x1a\x02\x18\x00", 4), where_);
    if (!legacy_) {
        unknownText_ = settings.unknown;
        unknownPieces_ = ids(continued_, unknownText_).size();
    }
}

std::vector<int> SentencePieceTokenizer::ids(const SentencePieceProcessor& processor, std::string_view text) const {
    std::vector<int> result;
    const auto status = processor.Encode(text, &result);
    if (!status.ok()) throw Error("SentencePiece could not encode the text (" + status.ToString() + ")", where_);
    return result;
}

std::vector<int32_t> SentencePieceTokenizer::encode(std::string_view utf8, const EncodeOptions& options) const {
    requireUtf8(utf8);
    std::vector<int32_t> result;
    if (options.addSpecial && addBos_) result.push_back(bos_);
    if (options.matchSpecial && !utf8.empty()) {
        encodeMatched(utf8, result);
    } else {
        encodePlain(utf8, result);
    }
    if (options.addSpecial && addEos_) result.push_back(eos_);
    return result;
}

// As SentencePiece encodes the text. Its time grows faster than the text, so where words are apart each different one
// is encoded once.
void SentencePieceTokenizer::encodePlain(std::string_view text, std::vector<int32_t>& out) const {
    constexpr size_t kShort = 200;
    if (!facts_.wordsAreApart || text.size() < kShort) {
        const std::vector<int> plain = ids(plain_, text);
        out.insert(out.end(), plain.begin(), plain.end());
        return;
    }
    const auto spaceAt = [&](size_t i) -> size_t {
        return text[i] == ' ' ? 1 : text.substr(i, kSpacePiece.size()) == kSpacePiece ? kSpacePiece.size() : 0;
    };
    std::unordered_map<std::string_view, std::vector<int>> known;
    for (size_t begin = 0; begin < text.size();) {
        size_t end = begin;
        while (end < text.size() && spaceAt(end)) end += spaceAt(end);
        while (end < text.size() && !spaceAt(end)) ++end;
        const std::string_view word = text.substr(begin, end - begin);
        if (begin == 0) {
            const std::vector<int> first = ids(plain_, word);
            out.insert(out.end(), first.begin(), first.end());
        } else {
            const auto [it, isNew] = known.try_emplace(word);
            if (isNew) it->second = ids(continued_, word);
            out.insert(out.end(), it->second.begin(), it->second.end());
        }
        begin = end;
    }
}

void SentencePieceTokenizer::encodeMatched(std::string_view text, std::vector<int32_t>& out) const {
    if (legacy_) {
        added_.split(text, [&](std::string_view stretch) { encodePlain(stretch, out); },
                     [&](const AddedToken& token) { out.push_back(token.id); });
        return;
    }
    // LlamaTokenizer with legacy=False: the leading space piece is written into the text, and falls away again when a
    // special token follows it at once.
    const std::string prefixed = std::string(kSpacePiece) + spaced(text);
    const size_t begin = out.size();
    bool atStart = true;
    added_.split(prefixed, [&](std::string_view stretch) { encodeContinued(stretch, out); },
                 [&](const AddedToken& token) {
                     if (atStart && out.size() == begin + 1 && token.special &&
                         out[begin] == plain_.PieceToId(kSpacePiece))
                         out.pop_back();
                     out.push_back(token.id);
                     atStart = false;
                 });
}

// A space at the beginning survives SentencePiece's normalizer only behind other text, so <unk> is put there and its
// pieces are dropped again.
void SentencePieceTokenizer::encodeContinued(std::string_view text, std::vector<int32_t>& out) const {
    const bool space = text.starts_with(' ') || text.starts_with(kSpacePiece);
    const std::vector<int> found = ids(continued_, space ? unknownText_ + std::string(text) : std::string(text));
    const size_t skip = space && found.size() >= unknownPieces_ ? unknownPieces_ : 0;
    out.insert(out.end(), found.begin() + ptrdiff_t(skip), found.end());
}

bool SentencePieceTokenizer::special(int32_t id) const {
    const AddedToken* token = added_.byId(id);
    return token && token->special;
}

std::string SentencePieceTokenizer::decodeRun(std::span<const int32_t> ids, bool dropLeadingSpace) const {
    std::string text;
    bool first = dropLeadingSpace;
    for (int32_t id : ids) {
        const AddedToken* added = added_.byId(id);
        if (added) {
            text += added->content;
        } else if (plain_.IsByte(id)) {
            const std::string& name = plain_.IdToPiece(id);  // "<0x0A>"
            text += char(std::stoi(name.substr(3, 2), nullptr, 16));
        } else if (!plain_.IsControl(id)) {
            std::string_view piece = plain_.IdToPiece(id);
            if (first && piece.starts_with(kSpacePiece)) piece.remove_prefix(kSpacePiece.size());
            text += spaced(piece);
        }
        first = false;
    }
    return text;
}

// As LlamaTokenizer joins text: legacy keeps the space that every run begins with only where a special token follows.
std::string SentencePieceTokenizer::decode(std::span<const int32_t> ids, bool skipSpecial) const {
    std::vector<int32_t> kept;
    for (int32_t id : ids) {
        piece(id);  // range check
        if (!(skipSpecial && special(id))) kept.push_back(id);
    }
    std::string text;
    for (size_t i = 0; i < kept.size();) {
        if (special(kept[i])) {
            text += added_.byId(kept[i++])->content;
            continue;
        }
        size_t end = i;
        while (end < kept.size() && !special(kept[end])) ++end;
        const std::span<const int32_t> run(kept.data() + i, end - i);
        const bool atStart = i == 0;
        if (legacy_) {
            if (end < kept.size()) text += ' ';
            text += decodeRun(run, facts_.dropsLeadingSpace());
        } else {
            if (i == 1 && !plain_.IdToPiece(std::min(run[0], plain_.GetPieceSize() - 1)).starts_with(kSpacePiece))
                text += ' ';
            text += decodeRun(run, atStart);
        }
        i = end;
    }
    return text;
}

std::string SentencePieceTokenizer::piece(int32_t id) const {
    if (id < 0 || id >= size_)
        throw Error("token id " + std::to_string(id) + " is not in the vocabulary of " + std::to_string(size_), where_);
    if (const AddedToken* added = added_.byId(id)) return added->content;
    return id < plain_.GetPieceSize() ? plain_.IdToPiece(id) : std::string();
}

}  // namespace

std::shared_ptr<const Tokenizer> openSentencePiece(const std::filesystem::path& file, SentencePieceRules rules) {
    refusePointer(file);
    if (rules != SentencePieceRules::slow) return openSentencePieceAsBpe(file, rules);
    return std::make_shared<SentencePieceTokenizer>(file);
}

}  // namespace owq
