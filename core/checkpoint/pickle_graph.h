// SPDX-License-Identifier: Apache-2.0
// What a pickle describes, as a flat list of nodes that refer to one another by number: sharing and cycles cost nothing and
// nothing is recursive.
#pragma once
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "core/base/tensor.h"

namespace owq {

using NodeId = uint32_t;

enum class NodeKind : uint8_t { none, boolean, integer, real, text, list, tuple, dict, space, global, storage, tensor };

struct Node {
    NodeKind kind = NodeKind::none;
    union {
        int64_t integer = 0;  ///< also boolean; index of a global, storage or tensor
        double real;
    };
    std::string_view text;      ///< into the file
    std::vector<NodeId> items;  ///< list, tuple: elements; dict, space: key, value, key, value…
};

/// A mention of a storage; several mentions may share a key. Units: elements.
struct StorageMention {
    DType dtype = DType::f32;
    std::string_view key;
    uint64_t count = 0;             ///< of the storage under `key`
    uint64_t first = 0, length = 0; ///< the part this mention shows
};

struct TensorView {
    StorageMention storage;
    uint64_t offset = 0;  ///< elements from the start of the storage under `key`
    std::vector<int64_t> shape, strides;
    uint64_t elements = 0;
    bool contiguous = true;
};

struct PickleGraph {
    std::deque<Node> nodes;
    std::vector<StorageMention> storages;
    std::vector<TensorView> tensors;
    NodeId root = 0;
    size_t copies = 0;  ///< items copied from one container to another
};

}  // namespace owq
