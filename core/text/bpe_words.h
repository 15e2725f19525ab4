// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <memory>

#include "core/text/bpe_model.h"
#include "core/text/word_model.h"

namespace owq {

/// What the symbols are that merging begins with.
struct BpeRules {
    bool byteLevel = false;        ///< bytes, which the vocabulary spells in letters (byte_level.h); else characters
    bool byteFallback = false;     ///< a character that is no entry becomes the entries "<0xE2>" … of its bytes
    bool fuseUnknown = false;      ///< a run of unknown characters is one token
    bool wholeWordsFirst = false;  ///< a word that is an entry is not merged (tokenizer.json: ignore_merges)
    int32_t unknown = -1;          ///< -1: unknown characters disappear, as in the usual libraries
};

class BpeWords : public WordModel {
public:
    BpeWords(std::shared_ptr<const BpeModel> model, const BpeRules& rules);

    void encode(std::string_view word, std::vector<int32_t>& out) const override;
    int32_t find(std::string_view piece) const override { return model_->find(piece); }
    const std::string& piece(int32_t id) const override { return model_->token(id); }
    int64_t size() const override { return model_->size(); }
    int32_t unknown() const override { return rules_.unknown; }
    std::string name() const override { return rules_.byteLevel ? "Byte-level BPE" : "BPE"; }

private:
    bool appendBytes(std::string_view character, std::vector<int32_t>& out) const;

    std::shared_ptr<const BpeModel> model_;
    BpeRules rules_;
    std::array<int32_t, 256> byteIds_;  ///< of a byte's letter, or of its fallback entry; -1 where there is none
};

/// Entry of a byte in vocabularies with byte fallback: "<0x0A>".
std::string fallbackPiece(uint8_t byte);
/// The byte of such an entry, -1 when `piece` is none.
int fallbackByte(std::string_view piece);

}  // namespace owq
