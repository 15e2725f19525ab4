// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/checkpoint_files.h"

#include <algorithm>
#include <set>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/checkpoint/limits.h"
#include "core/checkpoint/shard_index.h"
#include "core/checkpoint/sniff.h"

namespace owq {
namespace fs = std::filesystem;
namespace {

bool isFile(const fs::path& path) {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored);
}
// Also true for a link whose target is missing, so that the message names it.
bool isThere(const fs::path& path) {
    std::error_code ignored;
    return fs::exists(fs::symlink_status(path, ignored));
}

// models--org--name of the Hugging Face cache: refs/main names the snapshot that counts.
fs::path cacheSnapshot(const fs::path& folder) {
    std::error_code ignored;
    const fs::path snapshots = folder / "snapshots";
    if (isThere(folder / "config.json") || !fs::is_directory(snapshots, ignored)) return folder;
    if (isFile(folder / "refs" / "main")) {
        std::string revision = readText(folder / "refs" / "main", 200);
        revision.erase(std::remove_if(revision.begin(), revision.end(), [](char c) { return c == '\n' || c == '\r'; }), revision.end());
        if (!revision.empty() && revision.find('/') == std::string::npos && revision[0] != '.' &&
            fs::is_directory(snapshots / revision, ignored))
            return snapshots / revision;
    }
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(snapshots, ignored)) found.push_back(entry.path());
    if (found.size() == 1) return found[0];
    throw Error("is a cache folder with " + std::to_string(found.size()) + " snapshots", folder.string(),
                "Give one of the folders below snapshots");
}

CheckpointFiles fromIndex(const fs::path& index) {
    CheckpointFiles found{index.parent_path(), index, {}, readShardIndex(index)};
    std::set<std::string> names;
    for (const auto& [tensor, file] : found.owners) names.insert(file);
    if (names.size() > limits::kShards) throw Error("names " + std::to_string(names.size()) + " files", index.string());
    for (const std::string& name : names) {
        found.files.push_back(found.folder / name);
        if (!isThere(found.files.back()))
            throw Error("names the file \"" + name + "\", which is missing", index.string(), "Download the missing file");
    }
    return found;
}

std::vector<fs::path> filesEndingIn(const fs::path& folder, std::string_view end) {
    std::vector<fs::path> found;
    std::error_code problem;
    for (auto it = fs::directory_iterator(folder, problem); !problem && it != fs::directory_iterator(); it.increment(problem)) {
        const std::string name = it->path().filename().string();
        if (name.size() > end.size() && name.ends_with(end) && found.size() < limits::kShards) found.push_back(it->path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

CheckpointFiles fromFolder(const fs::path& folder) {
    for (const char* stem : {"model.safetensors", "pytorch_model.bin"}) {
        const fs::path single = folder / stem, index = folder / (std::string(stem) + ".index.json");
        if (isThere(single)) return {folder, {}, {single}, {}};
        if (isThere(index)) return fromIndex(index);
    }
    for (const char* format : {".safetensors", ".bin"}) {
        const std::vector<fs::path> indices = filesEndingIn(folder, std::string(format) + ".index.json");
        if (indices.size() == 1) return fromIndex(indices[0]);
        std::vector<fs::path> files = filesEndingIn(folder, format);
        if (std::string(format) == ".bin")  // training leaves other pickles beside the weights
            std::erase_if(files, [](const fs::path& p) { return !p.filename().string().starts_with("pytorch_model"); });
        if (files.size() == 1) return {folder, {}, files, {}};
        if (!files.empty())
            throw Error("holds " + std::to_string(files.size()) + " " + format + " files but no index that says how they belong together",
                        folder.string(), "Download the file *" + std::string(format) + ".index.json, or give one of the files");
    }
    throw Error("holds no checkpoint: neither model.safetensors nor pytorch_model.bin nor an index of shards", folder.string());
}

// A shard stands for the whole checkpoint when an index beside it names it.
CheckpointFiles fromFile(const fs::path& file) {
    const std::string name = file.filename().string();
    const fs::path folder = file.parent_path();
    if (name.ends_with(".index.json")) return fromIndex(file);
    if (name.find("-of-") != std::string::npos)
        for (const fs::path& index : filesEndingIn(folder, file.extension().string() + ".index.json")) {
            CheckpointFiles whole = fromIndex(index);
            if (std::find(whole.files.begin(), whole.files.end(), file) != whole.files.end()) return whole;
        }
    return {folder, {}, {file}, {}};
}

}  // namespace

CheckpointFiles findCheckpointFiles(const fs::path& given) {
    std::error_code ignored;
    const fs::path path = given.has_filename() ? given : given.parent_path();  // without a slash at the end
    if (fs::is_directory(path, ignored)) return fromFolder(cacheSnapshot(path));
    if (!isThere(path)) throw Error("does not exist", path.string());
    return fromFile(path);
}

}  // namespace owq
