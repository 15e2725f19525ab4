// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/input.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace owq::fuzz {

const std::filesystem::path& folder() {
    static const std::filesystem::path path = [] {
        const auto made = std::filesystem::temp_directory_path() / ("owq_fuzz_" + std::to_string(::getpid()));
        std::filesystem::remove_all(made);
        std::filesystem::create_directories(made);
        std::atexit([] { std::filesystem::remove_all(folder()); });
        return made;
    }();
    return path;
}

std::filesystem::path written(const char* name, std::span<const std::byte> bytes) {
    const std::filesystem::path file = folder() / name;
    std::ofstream(file, std::ios::binary | std::ios::trunc).write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
    return file;
}

}  // namespace owq::fuzz
