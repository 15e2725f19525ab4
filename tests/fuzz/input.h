// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <span>
#include <string_view>

namespace owq::fuzz {

/// Numbers from the bytes, in order; 0 when they are used up.
class Input {
public:
    explicit Input(std::span<const std::byte> bytes) : rest_(bytes) {}
    bool empty() const { return rest_.empty(); }
    template <class T>
    T take() {
        T value{};
        const size_t n = std::min(sizeof value, rest_.size());
        std::memcpy(&value, rest_.data(), n);
        rest_ = rest_.subspan(n);
        return value;
    }
    /// 0…count-1
    unsigned choose(unsigned count) { return take<uint8_t>() % count; }

private:
    std::span<const std::byte> rest_;
};

inline std::string_view textOf(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// A folder of this process below the one for temporary files; made empty at the first call.
const std::filesystem::path& folder();
/// Writes `bytes` there under `name`, over what was there.
std::filesystem::path written(const char* name, std::span<const std::byte> bytes);

}  // namespace owq::fuzz
