// SPDX-License-Identifier: Apache-2.0
// A file of torch.save, zip or the format before it: the graph of its pickle, and where its storages lie.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>

#include "core/base/file.h"
#include "core/checkpoint/pickle_graph.h"

namespace owq {

class TorchArchive {
public:
    /// Reads the pickle only; storages stay untouched in the mapping.
    static std::shared_ptr<const TorchArchive> open(const std::filesystem::path& file);

    const PickleGraph& graph() const { return graph_; }
    const std::filesystem::path& path() const { return mapped_->path(); }
    std::string where() const { return path().string(); }
    uint64_t fileBytes() const { return mapped_->bytes().size(); }
    /// A view into the mapping when the elements lie in order, else a copy in order. `unfolded` counts the bytes of copies;
    /// views that repeat elements without end are refused.
    Tensor tensor(const TensorView& view, uint64_t& unfolded) const;

private:
    TorchArchive() = default;
    void openZip();
    void openLegacy();

    std::shared_ptr<const MappedFile> mapped_;
    PickleGraph graph_;
    std::unordered_map<std::string_view, const std::byte*> storages_;
};

}  // namespace owq
