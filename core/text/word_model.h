// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace owq {

/// The part of a tokenizer that turns one word into ids: BPE or unigram. Immutable.
class WordModel {
public:
    virtual ~WordModel() = default;
    virtual void encode(std::string_view word, std::vector<int32_t>& out) const = 0;  ///< appends
    virtual int32_t find(std::string_view piece) const = 0;                           ///< -1: not in the vocabulary
    virtual const std::string& piece(int32_t id) const = 0;                           ///< 0 <= id < size(); empty in a gap
    virtual int64_t size() const = 0;                                                 ///< largest id + 1
    virtual int32_t unknown() const = 0;                                              ///< -1: none
    virtual std::string name() const = 0;                                             ///< "Byte-level BPE"
};

}  // namespace owq
