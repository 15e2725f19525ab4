// SPDX-License-Identifier: Apache-2.0
// PyTorch's zip format for plain data: read without executing, written so that torch.load opens it.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/tensor.h"

namespace owq {

/// A value of a pickle, restricted to what checkpoints hold.
struct PickleValue;
struct PickleEntry;
using PickleDict = std::vector<PickleEntry>;  ///< dict, OrderedDict; keys that are not text are refused
struct PickleNamespace {  ///< types.SimpleNamespace
    PickleDict fields;
};
struct PickleDType {  ///< a torch dtype object, e.g. torch.float16
    DType dtype;
};
struct PickleValue {
    std::variant<std::monostate, bool, int64_t, double, std::string, Tensor, std::vector<PickleValue>, PickleDict, PickleNamespace, PickleDType> value;

    const PickleValue* find(std::string_view key) const;  ///< in a dict or namespace; null when absent or of another kind
};

struct PickleEntry {
    std::string key;
    PickleValue value;
};

/// Root object of a torch.save zip file. Storages stay mapped. Throws Error naming the file and the offending global or opcode.
PickleValue readTorchFile(const std::filesystem::path& file);

/// Writes a torch.save zip (protocol 2, storages uncompressed and aligned to 64 bytes), atomically.
void writeTorchFile(const std::filesystem::path& file, const PickleValue& root);

}  // namespace owq
