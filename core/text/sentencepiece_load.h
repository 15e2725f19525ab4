// SPDX-License-Identifier: Apache-2.0
// Private to core/text.
#pragma once
#include <sentencepiece_processor.h>

#include <exception>
#include <string>

#include "core/base/error.h"

namespace owq {

/// Throws Error for whatever the library does not take; some pieces make it throw by itself.
inline void loadSentencePiece(sentencepiece::SentencePieceProcessor& processor, const std::string& bytes, const std::string& where) {
    std::string why;
    try {
        const auto status = processor.LoadFromSerializedProto(bytes);
        if (status.ok()) return;
        why = status.ToString();
    } catch (const std::exception& e) {
        why = e.what();
    }
    throw Error("not a usable SentencePiece model (" + why + ")", where, "Fetch the file again; a large-file pointer in its place looks like this, too");
}

}  // namespace owq
