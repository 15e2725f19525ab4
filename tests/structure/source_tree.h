// SPDX-License-Identifier: Apache-2.0
// The project's source files as text, for the rules of the house (rules.h).
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace owq::structure {

struct Include {
    std::string target;
    int line = 0;
    bool quoted = false;  // "…" rather than <…>
};

struct SourceFile {
    std::string path;  // from the root, with '/'
    std::vector<std::string> lines;
    std::vector<Include> includes;

    bool isCode() const;  // C++ or CUDA
    bool isHeader() const;
    bool under(
        std::string_view folder) const;  // folder without a final '/'; a file's own path is under itself
};

struct SourceTree {
    std::vector<SourceFile> files;  // sorted by path

    const SourceFile* find(std::string_view path) const;
};

SourceFile parseFile(std::string path, std::string_view text);

// C++, CUDA, CMake and shell files in app, core, kernels, widgets, tests, installer and cmake. Throws
// std::runtime_error when `root` is not the project.
SourceTree readTree(const std::filesystem::path& root);

}  // namespace owq::structure
