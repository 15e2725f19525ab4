// SPDX-License-Identifier: Apache-2.0
// The JSON header of a safetensors file, read in one pass without building a JSON tree (whose ordered objects are quadratic
// in the number of tensors).
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/tensor_file.h"

namespace owq {

struct SafetensorsEntry {
    TensorInfo info;             ///< `file` is left empty
    uint64_t begin = 0, end = 0; ///< bytes in the data section
};
struct SafetensorsHeader {
    std::vector<SafetensorsEntry> entries;
    Metadata metadata;
};

/// Checks everything that the text alone can tell: types, duplicate names and fields, shape times element size against the
/// offsets without overflow. Throws Error with `where`.
SafetensorsHeader parseSafetensorsHeader(std::string_view json, const std::string& where);

/// Number of elements; false when a size is negative or the product of the non-zero sizes does not fit.
bool elementCount(const std::vector<int64_t>& shape, uint64_t& count);

}  // namespace owq
