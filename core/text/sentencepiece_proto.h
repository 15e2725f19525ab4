// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

namespace owq {

/// The few facts of a SentencePiece model file that its library does not tell.
struct SentencePieceFacts {
    std::string modelType = "unigram";  ///< "unigram", "BPE", "word", "char"
    bool addDummyPrefix = true;         ///< a space piece is put in front of every text
    bool removeExtraSpaces = true;
    /// BPE whose pieces hold a space at their beginning only, with text taken as it stands and bytes for unknown
    /// characters: no merge crosses the place before a space, so words can be encoded one by one.
    bool wordsAreApart = false;

    bool dropsLeadingSpace() const { return addDummyPrefix || removeExtraSpaces; }
};

/// Reads pieces, trainer_spec and normalizer_spec of the serialized message; Error when it is malformed.
SentencePieceFacts readSentencePieceFacts(std::string_view bytes, const std::string& where);

}  // namespace owq
