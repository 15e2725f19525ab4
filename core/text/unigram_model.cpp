// SPDX-License-Identifier: Apache-2.0
#include "core/text/unigram_model.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/text/bpe_words.h"
#include "core/text/unicode.h"

namespace owq {

UnigramModel::UnigramModel(Vocabulary vocabulary, int32_t unknown, bool byteFallback, const std::string& where)
    : vocabulary_(std::move(vocabulary)), unknown_(unknown), byteFallback_(byteFallback), where_(where) {
    constexpr double kUnknownPenalty = 10;  // SentencePiece's: below the rarest entry
    if (vocabulary_.empty()) throw Error("the vocabulary is empty", where);
    if (unknown_ >= size())
        throw Error("unk_id " + std::to_string(unknown_) + " is not in the vocabulary of " + std::to_string(size()), where);
    double smallest = vocabulary_[0].second;
    sorted_.reserve(vocabulary_.size());
    for (size_t id = 0; id < vocabulary_.size(); ++id) {
        smallest = std::min(smallest, vocabulary_[id].second);
        if (!vocabulary_[id].first.empty()) sorted_.emplace_back(vocabulary_[id].first, int32_t(id));
    }
    unknownScore_ = smallest - kUnknownPenalty;
    // Of entries that appear twice the last one counts.
    std::sort(sorted_.begin(), sorted_.end(),
              [](const auto& a, const auto& b) { return a.first != b.first ? a.first < b.first : a.second > b.second; });
    sorted_.erase(std::unique(sorted_.begin(), sorted_.end(), [](const auto& a, const auto& b) { return a.first == b.first; }),
                  sorted_.end());
}

int32_t UnigramModel::find(std::string_view piece) const {
    const auto it = std::lower_bound(sorted_.begin(), sorted_.end(), piece,
                                     [](const auto& entry, std::string_view text) { return entry.first < text; });
    return it != sorted_.end() && it->first == piece ? it->second : -1;
}

void UnigramModel::encode(std::string_view word, std::vector<int32_t>& out) const {
    constexpr size_t kNowhere = size_t(-1);
    struct End {
        size_t begin = kNowhere;
        double score = 0;
        bool unknown = false;
    };
    std::vector<End> ends(word.size() + 1);  // best way to cut the text before each byte
    const auto propose = [&](size_t begin, size_t end, double score, bool unknown) {
        End& best = ends[end];
        if (best.begin == kNowhere || score > best.score) best = {begin, score, unknown};
    };
    for (size_t at = 0; at < word.size();) {
        const double score = ends[at].score;
        const size_t character = firstCharacter(word.substr(at)).bytes;
        bool covered = false;
        // All entries that the rest of the word begins with: narrow the sorted list byte by byte.
        auto low = sorted_.begin(), high = sorted_.end();
        for (size_t depth = 0; at + depth < word.size(); ++depth) {
            const auto byte = uint8_t(word[at + depth]);
            const auto byteOf = [depth](const auto& entry) { return depth < entry.first.size() ? int(uint8_t(entry.first[depth])) : -1; };
            low = std::partition_point(low, high, [&](const auto& entry) { return byteOf(entry) < byte; });
            high = std::partition_point(low, high, [&](const auto& entry) { return byteOf(entry) <= byte; });
            if (low == high) break;
            if (low->first.size() == depth + 1) {
                propose(at, at + depth + 1, score + vocabulary_[size_t(low->second)].second, low->second == unknown_);
                covered = covered || depth + 1 == character;
            }
        }
        if (!covered) propose(at, at + character, score + unknownScore_, true);
        at += character;
    }
    // Backwards along the best way; neighbouring unknown tokens become one.
    std::vector<std::string_view> pieces;
    for (size_t end = word.size(); end > 0;) {
        size_t begin = ends[end].begin;
        if (ends[end].unknown)
            while (begin > 0 && ends[begin].unknown) begin = ends[begin].begin;
        pieces.push_back(word.substr(begin, end - begin));
        end = begin;
    }
    for (auto piece = pieces.rbegin(); piece != pieces.rend(); ++piece) append(*piece, out);
}

void UnigramModel::append(std::string_view piece, std::vector<int32_t>& out) const {
    if (const int32_t id = find(piece); id >= 0) {
        out.push_back(id);
        return;
    }
    if (byteFallback_) {
        std::vector<int32_t> bytes;
        for (char c : piece)
            if (const int32_t id = find(fallbackPiece(uint8_t(c))); id >= 0) bytes.push_back(id);
        if (bytes.size() == piece.size()) {
            out.insert(out.end(), bytes.begin(), bytes.end());
            return;
        }
    }
    if (unknown_ < 0) throw Error("\"" + std::string(piece.substr(0, 80)) + "\" is in no entry, and there is no unknown token", where_);
    out.push_back(unknown_);
}

}  // namespace owq
