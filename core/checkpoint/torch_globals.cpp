// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/torch_globals.h"

#include <array>

#include "core/checkpoint/limits.h"
#include "core/checkpoint/safetensors_header.h"

namespace owq {
namespace {

using enum GlobalKind;
constexpr std::array kFacts{
    GlobalFact{"collections", "OrderedDict", orderedDict},
    GlobalFact{"types", "SimpleNamespace", simpleNamespace},
    GlobalFact{"torch._utils", "_rebuild_tensor", rebuildTensor},
    GlobalFact{"torch._utils", "_rebuild_tensor_v2", rebuildTensorV2},
    GlobalFact{"torch._utils", "_rebuild_parameter", rebuildParameter},
    GlobalFact{"torch", "Size", size},
    GlobalFact{"torch", "HalfStorage", storageType, DType::f16},
    GlobalFact{"torch", "BFloat16Storage", storageType, DType::bf16},
    GlobalFact{"torch", "FloatStorage", storageType, DType::f32},
    GlobalFact{"torch", "DoubleStorage", storageType, DType::f64},
    GlobalFact{"torch", "LongStorage", storageType, DType::i64},
    GlobalFact{"torch", "IntStorage", storageType, DType::i32},
    GlobalFact{"torch", "ShortStorage", storageType, DType::i16},
    GlobalFact{"torch", "CharStorage", storageType, DType::i8},
    GlobalFact{"torch", "ByteStorage", storageType, DType::u8},
    GlobalFact{"torch", "BoolStorage", storageType, DType::boolean},
    GlobalFact{"torch", "float16", dtype, DType::f16},
    GlobalFact{"torch", "bfloat16", dtype, DType::bf16},
    GlobalFact{"torch", "float32", dtype, DType::f32},
    GlobalFact{"torch", "float64", dtype, DType::f64},
    GlobalFact{"torch", "int64", dtype, DType::i64},
    GlobalFact{"torch", "int32", dtype, DType::i32},
    GlobalFact{"torch", "int16", dtype, DType::i16},
    GlobalFact{"torch", "int8", dtype, DType::i8},
    GlobalFact{"torch", "uint8", dtype, DType::u8},
    GlobalFact{"torch", "bool", dtype, DType::boolean},
    GlobalFact{"torch", "float8_e4m3fn", dtype, DType::f8_e4m3},
    GlobalFact{"torch", "float8_e5m2", dtype, DType::f8_e5m2},
};

NodeId add(PickleGraph& graph, NodeKind kind, int64_t integer = 0) {
    Node node;
    node.kind = kind;
    node.integer = integer;
    graph.nodes.push_back(std::move(node));
    return NodeId(graph.nodes.size() - 1);
}

const Node& expect(const PickleGraph& graph, NodeId id, NodeKind kind, const char* what) {
    const Node& node = graph.nodes[id];
    if (node.kind != kind) throw PickleProblem{std::string(what) + " is of the wrong type"};
    return node;
}

uint64_t whole(const PickleGraph& graph, NodeId id, const char* what) {
    const int64_t v = expect(graph, id, NodeKind::integer, what).integer;
    if (v < 0) throw PickleProblem{std::string(what) + " is negative (" + std::to_string(v) + ")"};
    return uint64_t(v);
}

std::vector<int64_t> sizes(const PickleGraph& graph, NodeId id, const char* what) {
    const Node& tuple = expect(graph, id, NodeKind::tuple, what);
    if (tuple.items.size() > limits::kRank) throw PickleProblem{"tensor has more than " + std::to_string(limits::kRank) + " dimensions"};
    std::vector<int64_t> out;
    for (NodeId item : tuple.items) out.push_back(int64_t(whole(graph, item, what)));
    return out;
}

// A remembered list may be used over and over by two bytes each, so what is copied out of one is counted.
void countCopies(PickleGraph& graph, size_t items) {
    graph.copies += items;
    if (graph.copies > limits::kPickleObjects) throw PickleProblem{"copies the same items over and over"};
}

// Bounds are checked here, once: whoever reads the tensor later relies on them.
NodeId rebuild(PickleGraph& graph, const std::vector<NodeId>& arguments) {
    TensorView view;
    view.storage = graph.storages[size_t(expect(graph, arguments[0], NodeKind::storage, "storage of a tensor").integer)];
    const uint64_t offset = whole(graph, arguments[1], "tensor offset");
    view.shape = sizes(graph, arguments[2], "tensor shape");
    view.strides = sizes(graph, arguments[3], "tensor stride");
    if (view.strides.size() != view.shape.size())
        throw PickleProblem{"tensor has " + std::to_string(view.shape.size()) + " dimensions but " +
                            std::to_string(view.strides.size()) + " strides"};
    uint64_t last = offset, packed = 1, bytes = 0;
    if (!elementCount(view.shape, view.elements) ||
        __builtin_mul_overflow(view.elements, byteSize(view.storage.dtype), &bytes) || bytes > uint64_t(INT64_MAX))
        throw PickleProblem{"tensor shape " + shapeText(view.shape) + " is too large"};
    bool fits = offset <= view.storage.length;
    for (size_t i = view.shape.size(); i-- > 0 && view.elements > 0;) {
        const uint64_t size = uint64_t(view.shape[i]), stride = uint64_t(view.strides[i]);
        uint64_t reach = 0;
        fits = fits && !__builtin_mul_overflow(size - 1, stride, &reach) && !__builtin_add_overflow(last, reach, &last);
        view.contiguous = view.contiguous && (size == 1 || stride == packed);
        packed *= size;
    }
    if (!fits || (view.elements > 0 && last >= view.storage.length))
        throw PickleProblem{"tensor of shape " + shapeText(view.shape) + " reaches past its storage of " +
                            std::to_string(view.storage.length) + " elements"};
    if (graph.tensors.size() == limits::kTensors) throw PickleProblem{"holds too many tensors"};
    view.offset = view.storage.first + offset;
    graph.tensors.push_back(std::move(view));
    return add(graph, NodeKind::tensor, int64_t(graph.tensors.size() - 1));
}

}  // namespace

int findGlobal(std::string_view module, std::string_view name) {
    // Storages saved on a GPU by old versions; the bytes are the same.
    if (module == "torch.cuda" && name.ends_with("Storage")) module = "torch";
    for (size_t i = 0; i < kFacts.size(); ++i)
        if (kFacts[i].module == module && kFacts[i].name == name) return int(i);
    return -1;
}

const GlobalFact& globalFact(int index) { return kFacts[size_t(index)]; }

const char* storageTypeName(DType type) {
    for (const GlobalFact& fact : kFacts)
        if (fact.kind == storageType && fact.dtype == type) return fact.name.data();
    return nullptr;
}

const char* dtypeObjectName(DType type) {
    for (const GlobalFact& fact : kFacts)
        if (fact.kind == dtype && fact.dtype == type) return fact.name.data();
    return nullptr;
}

NodeId callGlobal(PickleGraph& graph, NodeId function, NodeId argumentTuple) {
    const GlobalFact& fact = globalFact(int(expect(graph, function, NodeKind::global, "what is called").integer));
    const std::vector<NodeId>& arguments = expect(graph, argumentTuple, NodeKind::tuple, "argument list").items;
    const auto need = [&](size_t least) {
        if (arguments.size() < least) throw PickleProblem{std::string(fact.name) + " is called with too few arguments"};
    };
    switch (fact.kind) {
        case orderedDict: {
            std::vector<NodeId> items;
            if (!arguments.empty()) {  // Python 2 lists the items as pairs
                const std::vector<NodeId>& pairs = expect(graph, arguments[0], NodeKind::list, "items of an OrderedDict").items;
                countCopies(graph, pairs.size());
                for (NodeId pair : pairs) {
                    const Node& node = graph.nodes[pair];
                    if ((node.kind != NodeKind::list && node.kind != NodeKind::tuple) || node.items.size() != 2)
                        throw PickleProblem{"items of an OrderedDict are not pairs"};
                    items.insert(items.end(), node.items.begin(), node.items.end());
                }
            }
            const NodeId made = add(graph, NodeKind::dict);
            graph.nodes[made].items = std::move(items);
            return made;
        }
        case simpleNamespace:
            if (!arguments.empty()) throw PickleProblem{"SimpleNamespace is called with arguments"};
            return add(graph, NodeKind::space);
        case rebuildTensor: need(4); return rebuild(graph, arguments);
        case rebuildTensorV2: need(6); return rebuild(graph, arguments);
        case rebuildParameter:
            need(1);
            expect(graph, arguments[0], NodeKind::tensor, "data of a parameter");
            return arguments[0];
        case size:
            need(1);
            expect(graph, arguments[0], NodeKind::tuple, "sizes");
            return arguments[0];
        case storageType:
        case dtype: break;
    }
    throw PickleProblem{"calls " + std::string(fact.module) + "." + std::string(fact.name) + ", which is no function"};
}

void setState(PickleGraph& graph, NodeId object, NodeId state) {
    Node& target = graph.nodes[object];
    if (target.kind == NodeKind::dict) return;  // attributes of a state dict, such as _metadata: nothing we need
    if (target.kind != NodeKind::space) throw PickleProblem{"sets the state of a value that has none"};
    const std::vector<NodeId>& fields = expect(graph, state, NodeKind::dict, "state of a SimpleNamespace").items;
    countCopies(graph, fields.size());
    target.items.insert(target.items.end(), fields.begin(), fields.end());
}

NodeId resolvePersistentId(PickleGraph& graph, NodeId id) {
    const std::vector<NodeId>& parts = expect(graph, id, NodeKind::tuple, "persistent id").items;
    if (parts.size() < 5 || parts.size() > 6 || expect(graph, parts[0], NodeKind::text, "persistent id").text != "storage")
        throw PickleProblem{"persistent id is not that of a storage"};
    const GlobalFact& fact = globalFact(int(expect(graph, parts[1], NodeKind::global, "storage type").integer));
    if (fact.kind != storageType) throw PickleProblem{std::string(fact.name) + " is no storage type"};
    StorageMention mention;
    mention.dtype = fact.dtype;
    mention.key = expect(graph, parts[2], NodeKind::text, "storage key").text;
    mention.count = mention.length = whole(graph, parts[4], "storage size");
    if (parts.size() == 6 && graph.nodes[parts[5]].kind != NodeKind::none) {  // files before zip: (key, first, length) of a part
        const std::vector<NodeId>& view = expect(graph, parts[5], NodeKind::tuple, "storage view").items;
        if (view.size() != 3) throw PickleProblem{"storage view does not have three parts"};
        mention.first = whole(graph, view[1], "storage view");
        mention.length = whole(graph, view[2], "storage view");
        if (mention.first > mention.count || mention.length > mention.count - mention.first)
            throw PickleProblem{"storage view reaches past its storage"};
    }
    graph.storages.push_back(mention);
    return add(graph, NodeKind::storage, int64_t(graph.storages.size() - 1));
}

}  // namespace owq
