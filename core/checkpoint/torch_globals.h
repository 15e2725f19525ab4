// SPDX-License-Identifier: Apache-2.0
// The only names a pickle may mention, and what "calling" them means here: building plain values, never code.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "core/checkpoint/pickle_graph.h"

namespace owq {

enum class GlobalKind : uint8_t { orderedDict, simpleNamespace, storageType, dtype, rebuildTensor, rebuildTensorV2, rebuildParameter, size };

struct GlobalFact {
    std::string_view module, name;
    GlobalKind kind;
    DType dtype = DType::f32;  ///< of a storage type or dtype object
};

/// Index into globalFact; -1 when the name is not allowed.
int findGlobal(std::string_view module, std::string_view name);
const GlobalFact& globalFact(int index);
/// "HalfStorage", "float16"; null when torch has no such name for the type.
const char* storageTypeName(DType type);
const char* dtypeObjectName(DType type);

/// Thrown without a place; the reader adds it.
struct PickleProblem {
    std::string what;
    bool foreign = false;  ///< not damage: the file holds more than plain data
};

/// The result of function(*arguments) and of object.__setstate__(state); `graph` gains what they build.
NodeId callGlobal(PickleGraph& graph, NodeId function, NodeId arguments);
void setState(PickleGraph& graph, NodeId object, NodeId state);
/// ("storage", type, key, location, count[, view]) to a storage node.
NodeId resolvePersistentId(PickleGraph& graph, NodeId id);

}  // namespace owq
