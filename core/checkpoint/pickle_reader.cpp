// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/pickle_reader.h"

#include <bit>
#include <cstdio>
#include <unordered_map>

#include "core/base/error.h"
#include "core/checkpoint/limits.h"
#include "core/checkpoint/torch_globals.h"

namespace owq {
namespace {

enum Op : uint8_t {
    kMark = '(', kStop = '.', kPop = '0', kPopMark = '1', kBinInt = 'J', kBinInt1 = 'K', kBinInt2 = 'M', kNone = 'N',
    kBinPersId = 'Q', kReduce = 'R', kBinString = 'T', kShortBinString = 'U', kBinUnicode = 'X', kAppend = 'a', kBuild = 'b',
    kGlobal = 'c', kDict = 'd', kAppends = 'e', kBinGet = 'h', kLongBinGet = 'j', kList = 'l', kBinPut = 'q', kLongBinPut = 'r',
    kSetItem = 's', kTuple = 't', kSetItems = 'u', kEmptyDict = '}', kEmptyList = ']', kEmptyTuple = ')', kBinFloat = 'G',
    kProto = 0x80, kTuple1 = 0x85, kTuple2 = 0x86, kTuple3 = 0x87, kNewTrue = 0x88, kNewFalse = 0x89, kLong1 = 0x8a,
    kShortBinUnicode = 0x8c, kBinUnicode8 = 0x8d, kStackGlobal = 0x93, kMemoize = 0x94, kFrame = 0x95
};

class Machine {
public:
    explicit Machine(std::span<const std::byte> bytes) : bytes_(bytes) {}
    PickleGraph graph;
    size_t at = 0;      // next byte
    size_t opStart = 0; // of the opcode under way, for messages

    void run() {
        for (;;) {
            opStart = at;
            const uint8_t op = uint8_t(number(1));
            if (op == kStop) break;
            step(op);
            if (graph.nodes.size() > limits::kPickleObjects || stack_.size() > limits::kPickleObjects ||
                memo_.size() > limits::kPickleObjects)
                throw PickleProblem{"describes more than 4 million objects"};
        }
        graph.root = pop();
    }

private:
    void step(uint8_t op) {
        switch (op) {
            case kProto: {
                const uint64_t version = number(1);
                if (version < 2 || version > 5) throw PickleProblem{"pickle protocol " + std::to_string(version) + " is not supported"};
                return;
            }
            case kFrame: number(8); return;
            case kMark: marks_.push_back(stack_.size()); checkCount(marks_.size()); return;
            case kPop: pop(); return;
            case kPopMark: takeMarked(); return;
            case kNone: push(NodeKind::none); return;
            case kNewTrue: push(NodeKind::boolean).integer = 1; return;
            case kNewFalse: push(NodeKind::boolean); return;
            case kBinInt: push(NodeKind::integer).integer = int32_t(number(4)); return;
            case kBinInt1: push(NodeKind::integer).integer = int64_t(number(1)); return;
            case kBinInt2: push(NodeKind::integer).integer = int64_t(number(2)); return;
            case kLong1: pushLong(); return;
            case kBinFloat: push(NodeKind::real).real = std::bit_cast<double>(__builtin_bswap64(number(8))); return;
            case kBinUnicode: case kBinString: pushText(number(4)); return;
            case kShortBinUnicode: case kShortBinString: pushText(number(1)); return;
            case kBinUnicode8: pushText(number(8)); return;
            case kEmptyList: push(NodeKind::list); return;
            case kEmptyDict: push(NodeKind::dict); return;
            case kEmptyTuple: push(NodeKind::tuple); return;
            case kList: pushItems(NodeKind::list, takeMarked()); return;
            case kDict: pushPairs(takeMarked()); return;
            case kTuple: pushItems(NodeKind::tuple, takeMarked()); return;
            case kTuple1: pushItems(NodeKind::tuple, take(1)); return;
            case kTuple2: pushItems(NodeKind::tuple, take(2)); return;
            case kTuple3: pushItems(NodeKind::tuple, take(3)); return;
            case kAppend: extend(NodeKind::list, take(1)); return;
            case kAppends: extend(NodeKind::list, takeMarked()); return;
            case kSetItem: extend(NodeKind::dict, take(2)); return;
            case kSetItems: extend(NodeKind::dict, takeMarked()); return;
            case kBinPut: memo_[uint32_t(number(1))] = top(); return;
            case kLongBinPut: memo_[uint32_t(number(4))] = top(); return;
            case kMemoize: memo_[uint32_t(memo_.size())] = top(); return;
            case kBinGet: get(number(1)); return;
            case kLongBinGet: get(number(4)); return;
            case kGlobal: {
                const std::string_view module = line(), name = line();
                pushGlobal(module, name);
                return;
            }
            case kStackGlobal: {
                const std::vector<NodeId> names = take(2);
                for (NodeId id : names)
                    if (graph.nodes[id].kind != NodeKind::text) throw PickleProblem{"a global is not named by text"};
                pushGlobal(graph.nodes[names[0]].text, graph.nodes[names[1]].text);
                return;
            }
            case kReduce: {
                const std::vector<NodeId> call = take(2);
                stack_.push_back(callGlobal(graph, call[0], call[1]));
                return;
            }
            case kBuild: {
                const NodeId state = pop();
                setState(graph, top(), state);
                return;
            }
            case kBinPersId: {
                const NodeId id = pop();
                stack_.push_back(resolvePersistentId(graph, id));
                return;
            }
            default: {
                char text[40];
                std::snprintf(text, sizeof text, "pickle opcode 0x%02x is not supported", op);
                throw PickleProblem{text, true};
            }
        }
    }

    uint64_t number(size_t size) {
        need(size);
        uint64_t v = 0;
        for (size_t i = size; i-- > 0;) v = v << 8 | uint64_t(bytes_[at + i]);
        at += size;
        return v;
    }
    void need(uint64_t size) const {
        if (size > bytes_.size() - at) throw PickleProblem{"the pickle ends early"};
    }
    std::string_view view(uint64_t size) {
        need(size);
        const std::string_view v(reinterpret_cast<const char*>(bytes_.data()) + at, size_t(size));
        at += size_t(size);
        return v;
    }
    std::string_view line() {
        const std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + at,
                                    std::min(bytes_.size() - at, limits::kNameBytes));
        const size_t end = rest.find('\n');
        if (end == std::string_view::npos) throw PickleProblem{"the pickle ends early"};
        at += end + 1;
        return rest.substr(0, end);
    }

    static void checkCount(size_t n) {
        if (n > limits::kPickleObjects) throw PickleProblem{"describes more than 4 million objects"};
    }
    Node& push(NodeKind kind) {
        checkCount(graph.nodes.size());
        stack_.push_back(NodeId(graph.nodes.size()));
        Node& node = graph.nodes.emplace_back();
        node.kind = kind;
        return node;
    }
    void pushText(uint64_t size) {
        const std::string_view text = view(size);
        push(NodeKind::text).text = text;
    }
    void pushLong() {
        const uint64_t size = number(1);
        if (size > 8) throw PickleProblem{"a whole number needs more than 64 bits"};
        uint64_t v = number(size_t(size));
        if (size > 0 && size < 8 && (v >> (8 * size - 1) & 1)) v |= ~uint64_t(0) << (8 * size);
        push(NodeKind::integer).integer = int64_t(v);
    }
    void pushItems(NodeKind kind, std::vector<NodeId> items) { push(kind).items = std::move(items); }
    void pushPairs(std::vector<NodeId> items) {
        if (items.size() % 2) throw PickleProblem{"a dict has a key without a value"};
        pushItems(NodeKind::dict, std::move(items));
    }
    void pushGlobal(std::string_view module, std::string_view name) {
        const int index = findGlobal(module, name);
        if (index < 0)
            throw PickleProblem{"mentions " + std::string(module.substr(0, 80)) + "." + std::string(name.substr(0, 80)) +
                                ", which is not on the list of harmless names; nothing was executed", true};
        push(NodeKind::global).integer = index;
    }
    NodeId top() const {
        if (stack_.empty() || (!marks_.empty() && marks_.back() == stack_.size())) throw PickleProblem{"takes a value from an empty stack"};
        return stack_.back();
    }
    NodeId pop() {
        const NodeId id = top();
        stack_.pop_back();
        return id;
    }
    std::vector<NodeId> take(size_t n) {
        const size_t floor = marks_.empty() ? 0 : marks_.back();
        if (stack_.size() - floor < n) throw PickleProblem{"takes a value from an empty stack"};
        std::vector<NodeId> items(stack_.end() - ptrdiff_t(n), stack_.end());
        stack_.resize(stack_.size() - n);
        return items;
    }
    std::vector<NodeId> takeMarked() {
        if (marks_.empty()) throw PickleProblem{"uses a mark that is not there"};
        std::vector<NodeId> items = take(stack_.size() - marks_.back());
        marks_.pop_back();
        return items;
    }
    void extend(NodeKind kind, const std::vector<NodeId>& items) {
        Node& target = graph.nodes[top()];
        if (target.kind != kind || (kind == NodeKind::dict && items.size() % 2)) throw PickleProblem{"adds items to a value that takes none"};
        target.items.insert(target.items.end(), items.begin(), items.end());
    }
    void get(uint64_t slot) {
        const auto it = memo_.find(uint32_t(slot));
        if (it == memo_.end()) throw PickleProblem{"refers to a value that was never stored"};
        stack_.push_back(it->second);
    }

    std::span<const std::byte> bytes_;
    std::vector<NodeId> stack_;
    std::vector<size_t> marks_;
    std::unordered_map<uint32_t, NodeId> memo_;
};

}  // namespace

PickleGraph readPickle(std::span<const std::byte> bytes, const std::string& where, size_t* used) {
    Machine machine(bytes.first(std::min(bytes.size(), limits::kHeaderBytes)));
    try {
        machine.run();
    } catch (const PickleProblem& problem) {
        throw Error("refused pickle: " + problem.what + " (byte " + std::to_string(machine.opStart) + ")", where,
                    problem.foreign ? "If you trust the file, save only its tensors again with Python: torch.save(model.state_dict(), file)"
                                    : "The file is damaged: download or write it again");
    }
    if (used) *used = machine.at;
    return std::move(machine.graph);
}

}  // namespace owq
