// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>

#include "core/text/tokenizer.h"

namespace owq {

/// A SentencePiece model file, with the settings beside it. With EncodeOptions::matchSpecial the text of special tokens
/// is found as LlamaTokenizer does it: text behind one is encoded afresh (`legacy`, the default where no file says
/// otherwise), or without a new leading space piece (`legacy` false).
std::shared_ptr<const Tokenizer> openSentencePiece(const std::filesystem::path& file);

}  // namespace owq
