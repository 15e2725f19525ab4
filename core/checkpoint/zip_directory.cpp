// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/zip_directory.h"

#include <optional>

#include "core/base/error.h"
#include "core/checkpoint/limits.h"

namespace owq {
namespace {

constexpr uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50, kLocator64 = 0x07064b50;

class Bytes {
public:
    Bytes(std::span<const std::byte> bytes, const std::string& where) : bytes_(bytes), where_(where) {}
    uint64_t number(uint64_t at, int size) const {
        need(at, uint64_t(size));
        uint64_t v = 0;
        for (int i = size - 1; i >= 0; --i) v = v << 8 | uint64_t(bytes_[at + uint64_t(i)]);
        return v;
    }
    uint16_t u16(uint64_t at) const { return uint16_t(number(at, 2)); }
    uint32_t u32(uint64_t at) const { return uint32_t(number(at, 4)); }
    uint64_t u64(uint64_t at) const { return number(at, 8); }
    std::string_view text(uint64_t at, uint64_t size) const {
        need(at, size);
        return {reinterpret_cast<const char*>(bytes_.data()) + at, size_t(size)};
    }
    void need(uint64_t at, uint64_t size) const {
        if (at > bytes_.size() || size > bytes_.size() - at) fail("its directory points past the end of the file");
    }
    [[noreturn]] void fail(const std::string& what) const {
        throw Error("damaged zip file: " + what, where_, "Download or write it again");
    }
    uint64_t size() const { return bytes_.size(); }

private:
    std::span<const std::byte> bytes_;
    const std::string& where_;
};

struct Directory {
    uint64_t count, size, offset;
};

Directory findDirectory(const Bytes& b) {
    if (b.size() < 22) b.fail("it is too short");
    // The end record is last, before a comment of at most 65535 bytes.
    uint64_t end = b.size() - 22;
    const uint64_t stop = end > 65535 ? end - 65535 : 0;
    while (b.u32(end) != kEnd || b.u16(end + 20) != b.size() - end - 22) {
        if (end == stop) b.fail("it has no directory, so the file is cut off");
        --end;
    }
    Directory d{b.u16(end + 10), b.u32(end + 12), b.u32(end + 16)};
    if (b.u16(end + 4) != 0 || b.u16(end + 6) != 0 || b.u16(end + 8) != d.count) b.fail("it spans several files");
    if (end >= 20 && b.u32(end - 20) == kLocator64) {
        const uint64_t at = b.u64(end - 12);
        if (b.u32(at) != kEnd64) b.fail("its ZIP64 end record is missing");
        d = {b.u64(at + 32), b.u64(at + 40), b.u64(at + 48)};
        end = at;
    }
    if (d.offset > end || d.size > end - d.offset) b.fail("its directory points past the end of the file");
    if (d.size > limits::kHeaderBytes) b.fail("its directory is over the limit of 100 MB");
    if (d.count > d.size / 46) b.fail("it claims " + std::to_string(d.count) + " entries, more than its directory can hold");
    return d;
}

// A size or offset of 0xffffffff stands for a 64-bit one in the ZIP64 field, in fixed order.
void readZip64(const Bytes& b, uint64_t extra, uint64_t extraSize, uint64_t& size, uint64_t& packed, uint64_t& offset) {
    if (size != UINT32_MAX && packed != UINT32_MAX && offset != UINT32_MAX) return;
    const uint64_t end = extra + extraSize;
    while (end - extra >= 4) {
        const uint64_t id = b.u16(extra), length = b.u16(extra + 2);
        if (length > end - extra - 4) break;
        if (id == 1) {
            uint64_t at = extra + 4, left = length;
            for (uint64_t* v : {&size, &packed, &offset}) {
                if (*v != UINT32_MAX) continue;
                if (left < 8) b.fail("a ZIP64 field is too short");
                *v = b.u64(at);
                at += 8;
                left -= 8;
            }
            return;
        }
        extra += 4 + length;
    }
}

}  // namespace

ZipDirectory readZipDirectory(std::span<const std::byte> file, const std::string& where) {
    const Bytes b(file, where);
    const Directory directory = findDirectory(b);
    const uint64_t end = directory.offset + directory.size;
    ZipDirectory entries;
    uint64_t at = directory.offset;
    for (uint64_t i = 0; i < directory.count; ++i) {
        if (end - at < 46 || b.u32(at) != kCentral) b.fail("entry " + std::to_string(i) + " of its directory is broken");
        const uint64_t flags = b.u16(at + 8), method = b.u16(at + 10);
        const uint64_t nameSize = b.u16(at + 28), extraSize = b.u16(at + 30), commentSize = b.u16(at + 32);
        uint64_t packed = b.u32(at + 20), size = b.u32(at + 24), offset = b.u32(at + 42);
        if (nameSize + extraSize + commentSize > end - at - 46) b.fail("entry " + std::to_string(i) + " of its directory is broken");
        const std::string_view name = b.text(at + 46, nameSize);
        readZip64(b, at + 46 + nameSize, extraSize, size, packed, offset);
        at += 46 + nameSize + extraSize + commentSize;

        const std::string entry = "\"" + std::string(name.substr(0, 200)) + "\"";
        if (flags & 0x2041) throw Error("zip entry " + entry + " is encrypted", where);
        if (method != 0 || packed != size)
            throw Error("zip entry " + entry + " is compressed; PyTorch stores entries as they are", where,
                        "Save the file again with torch.save");
        b.need(offset, 30);
        if (b.u32(offset) != kLocal) b.fail("entry " + entry + " does not begin where the directory says");
        const uint64_t localName = b.u16(offset + 26), localExtra = b.u16(offset + 28);
        if (b.u16(offset + 8) != method || (b.u16(offset + 6) & 0x2041) != 0 || localName != nameSize ||
            b.text(offset + 30, localName) != name)
            b.fail("entry " + entry + " differs from its directory");
        const uint64_t data = offset + 30 + localName + localExtra;
        if (data > directory.offset || size > directory.offset - data) b.fail("entry " + entry + " points past the end of the file");
        if (!entries.emplace(name, file.subspan(size_t(data), size_t(size))).second) b.fail("entry " + entry + " is listed twice");
    }
    return entries;
}

}  // namespace owq
