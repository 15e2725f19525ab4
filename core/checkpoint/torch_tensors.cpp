// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/torch_tensors.h"

#include "core/base/error.h"
#include "core/checkpoint/limits.h"
#include "core/checkpoint/torch_archive.h"

namespace owq {
namespace {

class TorchTensors : public TensorFile {
public:
    explicit TorchTensors(std::shared_ptr<const TorchArchive> archive) : archive_(std::move(archive)) {
        const PickleGraph& graph = archive_->graph();
        const Node* dict = &graph.nodes[graph.root];
        if (dict->kind != NodeKind::dict)
            throw Error("holds no dict of tensors", archive_->where(), "Save model.state_dict() instead");
        collect(*dict);
        if (tensors_.empty())
            if (const Node* inner = stateDict(*dict)) collect(*inner);
        if (tensors_.empty() && !dict->items.empty())
            throw Error("holds no tensors by name", archive_->where(), "Save model.state_dict() instead");
    }

    const std::vector<TensorInfo>& tensors() const override { return tensors_; }
    const TensorInfo* find(std::string_view name) const override {
        const auto it = byName_.find(name);
        return it == byName_.end() ? nullptr : &tensors_[it->second];
    }
    Tensor read(std::string_view name) const override {
        const auto it = byName_.find(name);
        if (it == byName_.end()) throw Error("has no tensor \"" + std::string(name) + "\"", archive_->where());
        uint64_t unfolded = 0;
        return archive_->tensor(*views_[it->second], unfolded);
    }

private:
    void collect(const Node& dict) {
        const PickleGraph& graph = archive_->graph();
        for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
            const Node& key = graph.nodes[dict.items[i]];
            const Node& value = graph.nodes[dict.items[i + 1]];
            if (key.kind != NodeKind::text) throw Error("holds a dict whose keys are not text", archive_->where());
            if (value.kind != NodeKind::tensor) continue;
            if (key.text.size() > limits::kNameBytes)
                throw Error("a tensor name is " + std::to_string(key.text.size()) + " bytes long", archive_->where());
            if (!byName_.emplace(key.text, tensors_.size()).second)
                throw Error("tensor \"" + std::string(key.text) + "\" appears twice", archive_->where());
            const TensorView& view = graph.tensors[size_t(value.integer)];
            views_.push_back(&view);
            tensors_.push_back({std::string(key.text), view.storage.dtype, view.shape, archive_->path(),
                                view.elements * byteSize(view.storage.dtype)});
        }
    }
    const Node* stateDict(const Node& dict) const {
        const PickleGraph& graph = archive_->graph();
        for (std::string_view wanted : {"model_state_dict", "state_dict", "model", "module"})
            for (size_t i = 0; i + 1 < dict.items.size(); i += 2) {
                const Node& value = graph.nodes[dict.items[i + 1]];
                if (graph.nodes[dict.items[i]].text == wanted && value.kind == NodeKind::dict) return &value;
            }
        return nullptr;
    }

    std::shared_ptr<const TorchArchive> archive_;
    std::vector<TensorInfo> tensors_;
    std::vector<const TensorView*> views_;
    std::unordered_map<std::string_view, size_t> byName_;
};

}  // namespace

std::shared_ptr<const TensorFile> openTorchTensors(const std::filesystem::path& file) {
    return std::make_shared<TorchTensors>(TorchArchive::open(file));
}

}  // namespace owq
