// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"

namespace owq {

/// The pattern GPT-2 and OPT cut words with.
const std::string& gpt2Pattern();

/// tokenizer.json's "pre_tokenizer": how a text is cut into the words that are encoded one by one. Immutable.
class PreTokenizer {
public:
    using Piece = std::function<void(std::string_view piece, bool atStart)>;
    using Kept = std::deque<std::string>;  ///< holds the texts that pieces point into where a step changed them

    PreTokenizer() = default;  ///< a text is one word
    /// Known: Sequence, ByteLevel, Metaspace, Split, Digits, Punctuation. Error naming any other one.
    PreTokenizer(const Json& json, const std::string& where);
    /// GPT-2's: words by its pattern, spelled in bytes.
    static PreTokenizer gpt2(bool addPrefixSpace);

    /// The last step is ByteLevel. It is left to the model, which takes the bytes themselves: pieces are not spelled in letters.
    bool endsInBytes() const { return endsInBytes_; }
    bool hasMetaspace() const { return hasMetaspace_; }

    /// `atStart`: the text is the beginning of what is encoded, not a stretch behind an added token.
    void cut(std::string_view utf8, bool atStart, Kept& kept, const Piece& word) const { cut(utf8, atStart, kept, word, 0); }

private:
    using Step = std::function<void(std::string_view text, bool atStart, Kept& kept, const Piece& piece)>;
    void add(const std::string& type, const Json& part, const std::string& where);
    void addByteLevel(bool addPrefixSpace, bool cutWords);
    void endBytes();
    void cut(std::string_view text, bool atStart, Kept& kept, const Piece& word, size_t step) const;

    std::vector<Step> steps_;
    bool endsInBytes_ = false, hasMetaspace_ = false;
};

}  // namespace owq
