// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/tensor.h"
#include "core/quantize/quantized_linear.h"

namespace owq {

/// The five tensors of one packed linear, as the authors' checkpoint and our `owq` folder hold them (resources/help/format.md).
struct PackedLinear {
    int bits = 3;
    Tensor qweight;     ///< I32 [columns/32*bits, rows]
    Tensor scales;      ///< F16, BF16 or F32 [rows, 1]
    Tensor zeros;       ///< U8 [rows/2, 1], two 4-bit zeros a byte
    Tensor oweight;     ///< as scales, [k, rows]
    Tensor outlieridx;  ///< I32 [k] ascending; an empty F32 tensor when k = 0, as the authors write it
};

/// Throws Error when the shape does not fit the format (columns % 32, odd rows, bits not 3 or 4, groups, symmetric).
PackedLinear pack(const QuantizedLinear& linear, DType type);
/// The exact inverse but for the rounding of scale and weak weights to the stored type. Everything is checked against rows and columns;
/// `where` names the linear and its file in errors.
QuantizedLinear unpack(const PackedLinear& packed, int64_t rows, int64_t columns, const std::string& where);

/// Size of the packed tensors in bytes, without packing anything. `storageFavoured`: weak slots dropped (Appendix B.2).
uint64_t packedBytes(int64_t rows, int64_t columns, int bits, int64_t weakColumns, bool storageFavoured = false);

}  // namespace owq
