// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace owq {

/// tokenizer.json's "decoder": how pieces of the vocabulary become text again. Immutable.
class PieceDecoder {
public:
    struct Piece {
        std::string text;
        bool added = false;  ///< an added token, whose text is not spelled in byte letters
    };
    using Pieces = std::vector<Piece>;

    /// As the usual libraries do where no decoder is given: pieces with spaces between.
    PieceDecoder();
    /// Known: Sequence, ByteLevel, Metaspace, ByteFallback, Fuse, Replace, Strip. Error naming any other one.
    PieceDecoder(const Json& json, const std::string& where);
    static PieceDecoder byteLevel();
    static PieceDecoder metaspace();

    /// May end inside a UTF-8 sequence.
    std::string operator()(Pieces pieces) const;

private:
    void add(const std::string& type, const Json& part, const std::string& where);
    std::vector<std::function<void(Pieces&)>> steps_;
};

}  // namespace owq
