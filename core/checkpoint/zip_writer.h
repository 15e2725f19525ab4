// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file.h"

namespace owq {

/// Writes a zip file of stored entries whose data begin at multiples of 64 bytes, without dates; ZIP64 where needed.
class ZipWriter {
public:
    explicit ZipWriter(AtomicFile& out) : out_(out) {}
    void add(std::string_view name, const void* data, uint64_t bytes);
    void add(std::string_view name, std::string_view text) { add(name, text.data(), text.size()); }
    /// Writes the directory. Nothing may be added afterwards.
    void finish();

private:
    struct Entry {
        std::string name;
        uint32_t crc;
        uint64_t bytes, offset;
    };
    void write(std::string_view text);

    AtomicFile& out_;
    std::vector<Entry> entries_;
    uint64_t at_ = 0;
};

}  // namespace owq
