// SPDX-License-Identifier: Apache-2.0
#include "tests/structure/source_tree.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>
#include <utility>

namespace owq::structure {
namespace {

bool endsWithAny(std::string_view path, std::initializer_list<std::string_view> endings) {
    return std::any_of(endings.begin(), endings.end(), [&](std::string_view e) { return path.ends_with(e); });
}

bool isSource(std::string_view path) {
    return endsWithAny(path, {".cpp", ".h", ".cu", ".cuh", ".cmake", "CMakeLists.txt", ".sh"});
}

}  // namespace

bool SourceFile::isCode() const {
    return endsWithAny(path, {".cpp", ".h", ".cu", ".cuh"});
}

bool SourceFile::isHeader() const {
    return endsWithAny(path, {".h", ".cuh"});
}

bool SourceFile::under(std::string_view folder) const {
    return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

const SourceFile* SourceTree::find(std::string_view path) const {
    const auto found = std::lower_bound(files.begin(), files.end(), path,
                                        [](const SourceFile& f, std::string_view p) { return f.path < p; });
    return found != files.end() && found->path == path ? &*found : nullptr;
}

SourceFile parseFile(std::string path, std::string_view text) {
    static const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
    SourceFile file{std::move(path), {}, {}};
    while (!text.empty()) {
        const size_t end = std::min(text.find('\n'), text.size());
        file.lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (!file.isCode()) return file;
    for (size_t i = 0; i < file.lines.size(); ++i) {
        std::smatch match;
        if (std::regex_search(file.lines[i], match, pattern))
            file.includes.push_back({match[2], static_cast<int>(i) + 1, match[1] == "\""});
    }
    return file;
}

SourceTree readTree(const std::filesystem::path& root) {
    SourceTree tree;
    for (const char* top : {"app", "core", "kernels", "widgets", "tests", "installer", "cmake"}) {
        if (!std::filesystem::is_directory(root / top))
            throw std::runtime_error("no folder " + (root / top).string());
        for (const auto& entry : std::filesystem::recursive_directory_iterator(root / top)) {
            std::string path = entry.path().lexically_relative(root).generic_string();
            if (!entry.is_regular_file() || !isSource(path)) continue;
            std::ifstream stream(entry.path(), std::ios::binary);
            const std::string text((std::istreambuf_iterator<char>(stream)), {});
            tree.files.push_back(parseFile(std::move(path), text));
        }
    }
    std::sort(tree.files.begin(), tree.files.end(),
              [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
    return tree;
}

}  // namespace owq::structure
