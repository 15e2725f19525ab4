// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "core/text/added_tokens.h"
#include "core/text/bpe_model.h"
#include "core/text/regex.h"
#include "core/text/tokenizer.h"

namespace owq {

/// Everything that makes up one byte-level BPE tokenizer, whatever files it came from.
struct BpeParts {
    std::shared_ptr<const BpeModel> model;
    AddedTokens added;
    std::vector<Regex> splits;          ///< cut the text to words, one after the other
    bool addPrefixSpace = false;        ///< a text (or stretch between added tokens) gets a space in front
    bool wholeWordsFirst = false;       ///< a word that is an entry is not merged (tokenizer.json: ignore_merges)
    std::vector<int32_t> prefix, suffix;  ///< put around every text by addSpecial
    int32_t bos = -1, eos = -1, unknown = -1;
    std::string name;                   ///< for description()
};

/// The pattern GPT-2 and OPT cut words with.
const std::string& gpt2Pattern();

class BpeTokenizer : public Tokenizer {
public:
    explicit BpeTokenizer(BpeParts parts);

    std::vector<int32_t> encode(std::string_view utf8, const EncodeOptions& options) const override;
    std::string decode(std::span<const int32_t> ids, bool skipSpecial) const override;
    std::string piece(int32_t id) const override;
    int64_t size() const override { return size_; }
    int32_t bos() const override { return parts_.bos; }
    int32_t eos() const override { return parts_.eos; }
    int32_t unknown() const override { return parts_.unknown; }
    std::string description() const override;

private:
    class Words;
    void encodeWord(std::string_view word, std::vector<int32_t>& out) const;

    BpeParts parts_;
    std::vector<int32_t> byteIds_;      ///< [256], -1 where the vocabulary lacks the byte
    std::vector<std::string> bytes_;    ///< of each vocabulary id
    int64_t size_ = 0;
};

}  // namespace owq
