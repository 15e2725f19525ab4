// SPDX-License-Identifier: Apache-2.0
#include "core/text/piece_decoder.h"

#include "core/text/bpe_words.h"
#include "core/text/byte_level.h"
#include "core/text/json_parts.h"
#include "core/text/limits.h"
#include "core/text/unicode.h"
#include "core/text/utf8.h"

namespace owq {
namespace {

using Pieces = PieceDecoder::Pieces;
constexpr const char* kSpacePiece = "\xe2\x96\x81";  // "▁" stands for a space

void fuse(Pieces& pieces) {
    PieceDecoder::Piece whole;
    for (const auto& piece : pieces) whole.text += piece.text;
    pieces.assign(1, std::move(whole));
}

void readByteLetters(Pieces& pieces) {
    for (auto& piece : pieces)
        if (!piece.added) piece.text = bytesOfLetters(piece.text);
    fuse(pieces);
}

// The first piece loses its spaces where encoding put one in front.
void readMetaspace(Pieces& pieces, const std::string& space, bool dropFirst) {
    for (size_t i = 0; i < pieces.size(); ++i) {
        std::string text;
        std::string_view rest = pieces[i].text;
        while (!rest.empty()) {
            if (rest.starts_with(space)) {
                if (i > 0 || !dropFirst) text += ' ';
                rest.remove_prefix(space.size());
            } else {
                text += rest[0];
                rest.remove_prefix(1);
            }
        }
        pieces[i].text = std::move(text);
    }
}

// Whether all of `bytes` is the beginning of well-formed UTF-8.
bool onlyCut(const std::string& bytes, size_t invalid) {
    if (bytes.size() - invalid > 3) return false;
    const uint8_t first = uint8_t(bytes[invalid]);
    const size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (bytes.size() - invalid >= length) return false;
    for (const char* rest : {"\x80", "\x80\x80", "\x80\x80\x80", "\xbf", "\xbf\x80", "\xbf\x80\x80"})
        if (invalidUtf8(bytes + rest) == std::string::npos) return true;
    return false;
}

// A run of byte entries is text where it is well-formed as a whole, and else a U+FFFD for each byte. At the very end it
// may be a character of which the rest is still to come.
void readFallbackBytes(Pieces& pieces) {
    Pieces result;
    std::string run;
    const auto flush = [&](bool atEnd) {
        if (run.empty()) return;
        const size_t invalid = invalidUtf8(run);
        if (invalid == std::string::npos || (atEnd && onlyCut(run, invalid))) {
            result.push_back({run, false});
        } else {
            for (size_t i = 0; i < run.size(); ++i) result.push_back({"\xef\xbf\xbd", false});
        }
        run.clear();
    };
    for (auto& piece : pieces) {
        if (const int byte = fallbackByte(piece.text); byte >= 0) {
            run += char(byte);
        } else {
            flush(false);
            result.push_back(std::move(piece));
        }
    }
    flush(true);
    pieces = std::move(result);
}

void strip(std::string& text, const std::string& content, int64_t start, int64_t stop) {
    size_t begin = 0, end = text.size();
    for (int64_t i = 0; i < start && text.compare(begin, content.size(), content) == 0; ++i) begin += content.size();
    for (int64_t i = 0; i < stop && end >= begin + content.size() && text.compare(end - content.size(), content.size(), content) == 0; ++i)
        end -= content.size();
    text = text.substr(begin, end - begin);
}

}  // namespace

PieceDecoder::PieceDecoder() {
    steps_.push_back([](Pieces& pieces) {
        for (size_t i = 1; i < pieces.size(); ++i) pieces[i].text.insert(0, " ");
    });
}

PieceDecoder::PieceDecoder(const Json& json, const std::string& where) {
    eachPart(json, "decoders", where, [&](const std::string& type, const Json& part) { add(type, part, where); });
    if (steps_.size() > limits::kSteps) throw Error("more than " + std::to_string(limits::kSteps) + " steps", where);
}

PieceDecoder PieceDecoder::byteLevel() {
    PieceDecoder decoder;
    decoder.steps_.assign(1, readByteLetters);
    return decoder;
}

PieceDecoder PieceDecoder::metaspace() {
    PieceDecoder decoder;
    decoder.steps_.assign(1, [](Pieces& pieces) { readMetaspace(pieces, kSpacePiece, true); });
    return decoder;
}

void PieceDecoder::add(const std::string& type, const Json& part, const std::string& where) {
    if (type == "ByteLevel") {
        steps_.push_back(readByteLetters);
    } else if (type == "Metaspace") {
        const std::string space = optional<std::string>(part, "replacement", kSpacePiece, where);
        if (space.empty()) throw Error("\"replacement\" is empty", where);
        const bool prepends = optional<bool>(part, "add_prefix_space", true, where) &&
                              optional<std::string>(part, "prepend_scheme", "always", where) != "never";
        steps_.push_back([=](Pieces& pieces) { readMetaspace(pieces, space, prepends); });
    } else if (type == "ByteFallback") {
        steps_.push_back(readFallbackBytes);
    } else if (type == "Fuse") {
        steps_.push_back(fuse);
    } else if (type == "Replace") {
        const std::string content = required<std::string>(part, "content", where);
        steps_.push_back([pattern = Pattern(part, where), content](Pieces& pieces) {
            for (auto& piece : pieces) {
                if (invalidUtf8(piece.text) != std::string::npos) continue;  // bytes of a character that is not complete yet
                std::string text;
                pattern.split(piece.text, [&](std::string_view stretch, bool isMatch) { text += isMatch ? std::string_view(content) : stretch; });
                piece.text = std::move(text);
            }
        });
    } else if (type == "Strip") {
        const std::string content = required<std::string>(part, "content", where);
        if (content.empty()) throw Error("\"content\" is empty", where);
        const int64_t start = optional<int64_t>(part, "start", 0, where), stop = optional<int64_t>(part, "stop", 0, where);
        steps_.push_back([=](Pieces& pieces) {
            for (auto& piece : pieces) strip(piece.text, content, start, stop);
        });
    } else {
        refusePart("decoder " + type, where);
    }
}

std::string PieceDecoder::operator()(Pieces pieces) const {
    if (pieces.empty()) return {};
    for (const auto& step : steps_) step(pieces);
    fuse(pieces);
    return std::move(pieces[0].text);
}

}  // namespace owq
