// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/torch_pickle.h"

#include <unordered_set>

#include "core/base/error.h"
#include "core/checkpoint/limits.h"
#include "core/checkpoint/torch_archive.h"
#include "core/checkpoint/torch_globals.h"

namespace owq {
namespace {

// Turns the graph into a tree. A graph may share and contain itself, so depth and size of the tree are bounded here.
class Builder {
public:
    explicit Builder(const TorchArchive& archive) : archive_(archive) {}

    PickleValue build(NodeId id, int depth) {
        if (depth > limits::kPickleDepth) fail("is nested deeper than " + std::to_string(limits::kPickleDepth));
        const Node& node = archive_.graph().nodes[id];
        spend(1 + node.text.size() / 16);
        switch (node.kind) {
            case NodeKind::none: return {};
            case NodeKind::boolean: return {node.integer != 0};
            case NodeKind::integer: return {node.integer};
            case NodeKind::real: return {node.real};
            case NodeKind::text: return {std::string(node.text)};
            case NodeKind::list:
            case NodeKind::tuple: {
                std::vector<PickleValue> items;
                for (NodeId item : node.items) items.push_back(build(item, depth + 1));
                return {std::move(items)};
            }
            case NodeKind::dict: return {pairs(node, depth)};
            case NodeKind::space: return {PickleNamespace{pairs(node, depth)}};
            case NodeKind::tensor:
                return {archive_.tensor(archive_.graph().tensors[size_t(node.integer)], unfolded_)};
            case NodeKind::global: {
                const GlobalFact& fact = globalFact(int(node.integer));
                if (fact.kind == GlobalKind::dtype) return {PickleDType{fact.dtype}};
                fail("holds " + std::string(fact.module) + "." + std::string(fact.name) + " as a value");
            }
            case NodeKind::storage: fail("holds a bare storage as a value");
        }
        fail("holds an unknown value");
    }

private:
    PickleDict pairs(const Node& node, int depth) {
        PickleDict dict;
        std::unordered_set<std::string_view> seen;
        for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
            const Node& key = archive_.graph().nodes[node.items[i]];
            if (key.kind != NodeKind::text) fail("has a dict key that is not text");
            if (!seen.insert(key.text).second) fail("has the key \"" + std::string(key.text.substr(0, 80)) + "\" twice in one dict");
            spend(1 + key.text.size() / 16);
            dict.push_back({std::string(key.text), build(node.items[i + 1], depth + 1)});
        }
        return dict;
    }
    void spend(size_t units) {
        spent_ += units;
        if (spent_ > limits::kPickleUnfolded) fail("describes more than a million objects, with those it shares written out");
    }
    [[noreturn]] void fail(const std::string& what) const { throw Error("its pickle " + what, archive_.where()); }

    const TorchArchive& archive_;
    size_t spent_ = 0;
    uint64_t unfolded_ = 0;
};

}  // namespace

const PickleValue* PickleValue::find(std::string_view key) const {
    const PickleDict* dict = std::get_if<PickleDict>(&value);
    if (const auto* space = std::get_if<PickleNamespace>(&value)) dict = &space->fields;
    if (dict)
        for (const auto& [name, item] : *dict)
            if (name == key) return &item;
    return nullptr;
}

PickleValue readTorchFile(const std::filesystem::path& file) {
    const auto archive = TorchArchive::open(file);
    return Builder(*archive).build(archive->graph().root, 0);
}

}  // namespace owq
