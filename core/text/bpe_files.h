// SPDX-License-Identifier: Apache-2.0
// The files that tokenizers other than SentencePiece's are read from.
#pragma once
#include <filesystem>
#include <memory>

#include "core/text/tokenizer.h"

namespace owq {

/// vocab.json and merges.txt, with the settings beside them.
std::shared_ptr<const Tokenizer> openBpeFiles(const std::filesystem::path& vocab, const std::filesystem::path& merges);

/// tokenizer.json. Known: the models BPE and Unigram, the post-processors ByteLevel and TemplateProcessing, and what normalizer.h,
/// pre_tokenizer.h and piece_decoder.h list. Any other part is refused by its name.
std::shared_ptr<const Tokenizer> openTokenizerJson(const std::filesystem::path& file);

}  // namespace owq
