// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/checkpoint.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/checkpoint/checkpoint_files.h"
#include "core/checkpoint/sniff.h"

namespace owq {
namespace {

Json readConfig(const std::filesystem::path& folder) {
    const std::filesystem::path file = folder / "config.json";
    std::error_code ignored;
    if (!std::filesystem::exists(std::filesystem::symlink_status(file, ignored)))
        throw Error("has no config.json", folder.empty() ? "." : folder.string(), "Put the model's config.json beside its tensor files");
    const std::string text = readText(file, 64u << 20);
    refuseLfsPointer(std::as_bytes(std::span(text)), file);
    Json config = parseJson(text, file.string());
    if (!config.is_object()) throw Error("does not hold a JSON object", file.string());
    return config;
}

}  // namespace

std::shared_ptr<const Checkpoint> Checkpoint::open(const std::filesystem::path& path) {
    CheckpointFiles found = findCheckpointFiles(path);
    auto checkpoint = std::make_shared<Checkpoint>();
    checkpoint->folder_ = found.folder;
    checkpoint->config_ = readConfig(found.folder);
    checkpoint->files_ = found.files;
    // The headers are the truth; the index only says which files belong together, and decides between two of the same name.
    for (const std::filesystem::path& file : found.files) {
        std::shared_ptr<const TensorFile> opened = openTensorFile(file);
        for (const TensorInfo& info : opened->tensors()) {
            const auto [it, fresh] = checkpoint->owners_.emplace(info.name, opened);
            if (fresh) continue;
            const auto wanted = found.owners.find(info.name);
            if (wanted == found.owners.end())
                throw Error("tensor \"" + info.name + "\" is also in " + it->second->find(info.name)->file.filename().string(), file.string());
            if (wanted->second == file.filename()) it->second = opened;
        }
    }
    for (const auto& [tensor, file] : found.owners)
        if (!checkpoint->owners_.contains(tensor))
            throw Error("names tensor \"" + tensor + "\", which is in none of its files", found.index.string(),
                        "Download the index and the file " + file + " again");
    checkpoint->tensors_.reserve(checkpoint->owners_.size());
    for (const auto& [name, file] : checkpoint->owners_) checkpoint->tensors_.push_back(*file->find(name));
    return checkpoint;
}

const TensorInfo* Checkpoint::find(std::string_view name) const {
    const auto it = std::lower_bound(tensors_.begin(), tensors_.end(), name,
                                     [](const TensorInfo& info, std::string_view wanted) { return info.name < wanted; });
    return it != tensors_.end() && it->name == name ? &*it : nullptr;
}

Tensor Checkpoint::read(std::string_view name) const {
    const auto it = owners_.find(name);
    if (it == owners_.end()) throw Error("has no tensor \"" + std::string(name) + "\"", folder_.string());
    return it->second->read(name);
}

uint64_t Checkpoint::bytes() const {
    uint64_t sum = 0;
    for (const TensorInfo& info : tensors_) sum += info.bytes;
    return sum;
}

}  // namespace owq
