// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>
#include <string>

#include "core/base/json.h"
#include "core/text/word_model.h"

namespace owq {

/// tokenizer.json's "model", whose "vocab" is given apart: BPE or Unigram. `bytes`: words are cut so that the vocabulary spells
/// their bytes in letters. Error naming any other model.
std::shared_ptr<const WordModel> readJsonModel(const Json& model, const SortedJson& vocab, bool bytes, const std::string& where);

}  // namespace owq
