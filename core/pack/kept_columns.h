// SPDX-License-Identifier: Apache-2.0
// Private to core/pack: codes of the storage-favoured layout, where weak columns have no slot. A kept column is a line of
// ceil(rows*bits/8) bytes: its codes from row 0 on as a stream of bits, lowest bit first.
#pragma once
#include <cstdint>
#include <vector>

#include "core/base/tensor.h"

namespace owq::packing {

/// Columns that are not weak, ascending. `weak`: ascending, within 0…columns-1.
std::vector<int32_t> keptColumns(int64_t columns, const std::vector<int32_t>& weak);
/// codes [rows, columns] to lines [kept, ceil(rows*bits/8)].
std::vector<uint8_t> packLines(const std::vector<uint8_t>& codes, int64_t rows, int64_t columns, int bits,
                               const std::vector<int32_t>& kept);
/// Writes the kept columns of codes [rows, columns]; the others stay as they are.
void unpackLines(const uint8_t* lines, int64_t rows, int64_t columns, int bits, const std::vector<int32_t>& kept,
                 uint8_t* codes);

}  // namespace owq::packing
