// SPDX-License-Identifier: Apache-2.0
#include "core/text/byte_level.h"

namespace owq {
namespace {

bool printable(int byte) {
    return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
}

std::array<int, 256> codePoints() {
    std::array<int, 256> points{};
    int next = 256;  // bytes that are not printable in Latin-1 take the code points from 256 on, in order
    for (int byte = 0; byte < 256; ++byte) points[size_t(byte)] = printable(byte) ? byte : next++;
    return points;
}

}  // namespace

const std::array<std::string, 256>& byteLetters() {
    static const std::array<std::string, 256> letters = [] {
        std::array<std::string, 256> result;
        const auto points = codePoints();
        for (size_t byte = 0; byte < 256; ++byte) {
            const int c = points[byte];
            if (c < 0x80)
                result[byte] = char(c);
            else
                result[byte] = {char(0xc0 | (c >> 6)), char(0x80 | (c & 0x3f))};
        }
        return result;
    }();
    return letters;
}

std::string bytesOfLetters(std::string_view spelled) {
    static const std::array<int, 512> bytes = [] {
        std::array<int, 512> result;
        result.fill(-1);
        const auto points = codePoints();
        for (int byte = 0; byte < 256; ++byte) result[size_t(points[size_t(byte)])] = byte;
        return result;
    }();
    std::string result;
    for (size_t i = 0; i < spelled.size(); ++i) {
        const uint8_t first = uint8_t(spelled[i]);
        if (first < 0x80) {
            result += bytes[first] >= 0 ? char(bytes[first]) : char(first);
        } else if (first >= 0xc2 && first < 0xe0 && i + 1 < spelled.size()) {
            const size_t point = size_t((first & 0x1f) << 6 | (uint8_t(spelled[i + 1]) & 0x3f));
            if (point < bytes.size() && bytes[point] >= 0)
                result += char(bytes[point]);
            else
                result += spelled.substr(i, 2);
            ++i;
        } else {
            result += spelled[i];
        }
    }
    return result;
}

}  // namespace owq
