// SPDX-License-Identifier: Apache-2.0
// The file formats a byte-level BPE tokenizer is read from.
#pragma once
#include <filesystem>
#include <memory>

#include "core/text/tokenizer.h"

namespace owq {

/// vocab.json and merges.txt, with the settings beside them.
std::shared_ptr<const Tokenizer> openBpeFiles(const std::filesystem::path& vocab, const std::filesystem::path& merges);

/// tokenizer.json. Known: model BPE, pre-tokenizers ByteLevel and Split, no normalizer, post-processors ByteLevel and
/// TemplateProcessing. Any other part is refused by its name.
std::shared_ptr<const Tokenizer> openTokenizerJson(const std::filesystem::path& file);

}  // namespace owq
