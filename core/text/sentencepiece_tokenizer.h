// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>

#include "core/text/tokenizer.h"

namespace owq {

/// Libraries disagree on what a tokenizer.model means. Published perplexities of OWQ and OPTQ are `slow`.
enum class SentencePieceRules {
    slow,           ///< SentencePiece itself, as transformers' LlamaTokenizer calls it
    fast,           ///< transformers 4's LlamaTokenizerFast with legacy=False: a text's own first space is the leading one
    transformers5,  ///< transformers 5, which also ranks merges by id instead of score
};

/// A SentencePiece model file, with the settings beside it. With EncodeOptions::matchSpecial the text of special tokens
/// is found as LlamaTokenizer does it: text behind one is encoded afresh (`legacy`, the default where no file says
/// otherwise), or without a new leading space piece (`legacy` false). All but `slow` take BPE models only.
std::shared_ptr<const Tokenizer> openSentencePiece(const std::filesystem::path& file,
                                                   SentencePieceRules rules = SentencePieceRules::slow);

/// `slow` is not for here.
std::shared_ptr<const Tokenizer> openSentencePieceAsBpe(const std::filesystem::path& file, SentencePieceRules rules);

}  // namespace owq
