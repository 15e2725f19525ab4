// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/zip_writer.h"

#include <zlib.h>

namespace owq {
namespace {

constexpr uint64_t kMax32 = 0xffffffff;
constexpr uint64_t kAlignment = 64;
constexpr uint16_t kUtf8Names = 0x800, kFirstOf1980 = 0x21;

std::string little(uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += char(value >> (8 * i) & 0xff);
    return text;
}

std::string clamped(uint64_t value) { return little(std::min(value, kMax32), 4); }

// Version needed, flags, method, time and date: the same in the local header and in the directory.
std::string common(bool wide) { return little(wide ? 45 : 20, 2) + little(kUtf8Names, 2) + little(0, 2) + little(0, 2) + little(kFirstOf1980, 2); }

}  // namespace

void ZipWriter::write(std::string_view text) {
    out_.write(text);
    at_ += text.size();
}

void ZipWriter::add(std::string_view name, const void* data, uint64_t bytes) {
    const uint32_t crc = bytes == 0 ? 0 : uint32_t(crc32_z(0, static_cast<const unsigned char*>(data), size_t(bytes)));
    const bool wide = bytes >= kMax32;
    std::string extra;
    if (wide) extra = little(1, 2) + little(16, 2) + little(bytes, 8) + little(bytes, 8);
    // The padding that PyTorch's own writer uses: an extra field "FB" of Z's.
    const uint64_t start = at_ + 30 + name.size() + extra.size() + 4;
    const uint64_t padding = (kAlignment - start % kAlignment) % kAlignment;
    extra += "FB" + little(padding, 2) + std::string(padding, 'Z');
    entries_.push_back({std::string(name), crc, bytes, at_});
    write(little(0x04034b50, 4) + common(wide) + little(crc, 4) + clamped(bytes) + clamped(bytes) + little(name.size(), 2) +
          little(extra.size(), 2) + std::string(name) + extra);
    if (bytes > 0) out_.write(data, bytes);
    at_ += bytes;
}

void ZipWriter::finish() {
    const uint64_t start = at_;
    for (const Entry& e : entries_) {
        std::string wide;
        if (e.bytes >= kMax32) wide += little(e.bytes, 8) + little(e.bytes, 8);
        if (e.offset >= kMax32) wide += little(e.offset, 8);
        const std::string extra = wide.empty() ? "" : little(1, 2) + little(wide.size(), 2) + wide;
        write(little(0x02014b50, 4) + little(wide.empty() ? 20 : 45, 2) + common(!wide.empty()) + little(e.crc, 4) + clamped(e.bytes) +
              clamped(e.bytes) + little(e.name.size(), 2) + little(extra.size(), 2) + little(0, 2) + little(0, 2) + little(0, 2) +
              little(0, 4) + clamped(e.offset) + e.name + extra);
    }
    const uint64_t size = at_ - start, count = entries_.size(), end = at_;
    if (count >= 0xffff || start >= kMax32 || size >= kMax32)
        write(little(0x06064b50, 4) + little(44, 8) + little(45, 2) + little(45, 2) + little(0, 4) + little(0, 4) + little(count, 8) +
              little(count, 8) + little(size, 8) + little(start, 8) + little(0x07064b50, 4) + little(0, 4) + little(end, 8) + little(1, 4));
    const std::string count16 = little(std::min<uint64_t>(count, 0xffff), 2);
    write(little(0x06054b50, 4) + little(0, 2) + little(0, 2) + count16 + count16 + clamped(size) + clamped(start) + little(0, 2));
}

}  // namespace owq
