// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace owq {

struct EncodeOptions {
    bool addSpecial = true;     ///< BOS (and whatever the model's template adds)
    bool matchSpecial = true;   ///< special-token text ("</s>") becomes its id; false: it is spelled like any text
};

/// Text to token ids and back. Immutable, safe to use from several threads.
class Tokenizer {
public:
    virtual ~Tokenizer() = default;
    virtual std::vector<int32_t> encode(std::string_view utf8, const EncodeOptions& options = {}) const = 0;
    /// Bytes of the ids joined; may end inside a UTF-8 sequence. skipSpecial leaves out special tokens.
    virtual std::string decode(std::span<const int32_t> ids, bool skipSpecial = false) const = 0;
    /// The vocabulary entry as the tokenizer's file spells it.
    virtual std::string piece(int32_t id) const = 0;
    virtual int64_t size() const = 0;           ///< ids are below this
    virtual int32_t bos() const = 0;            ///< -1 when there is none
    virtual int32_t eos() const = 0;
    virtual int32_t unknown() const { return -1; }  ///< id of <unk>, -1 when there is none
    virtual std::string description() const = 0;  ///< "SentencePiece BPE, 32000 pieces"
};

/// `path`: a model folder (tokenizer.model, or vocab.json + merges.txt, or tokenizer.json, with tokenizer_config.json
/// beside them) or one such file. Throws Error naming the file and the reason.
std::shared_ptr<const Tokenizer> openTokenizer(const std::filesystem::path& path);

}  // namespace owq
