// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/tensor.h"
#include "core/quantize/quantized_linear.h"

namespace owq {

/// What headers tell about one quantized linear.
struct LinearShape {
    std::string name;
    int64_t rows = 0, columns = 0;
    int bits = 3;
    int64_t weakColumns = 0;
    int64_t groupSize = 0;  ///< 0: one grid per row
    bool symmetric = false;

    int64_t groups() const { return groupSize ? (columns + groupSize - 1) / groupSize : 1; }
};

/// Appendix B.2: do weak columns keep a slot in the packed codes (latency), or are they left out (storage)?
enum class PackLayout { latency, storage };
PackLayout packLayoutFromName(const std::string& name);  ///< "latency", "storage"; Error with the known names
std::string packLayoutName(PackLayout layout);

/// The five tensors of one packed linear, as the authors' checkpoint (layout latency, 3 or 4 bit, one asymmetric grid per row) and our
/// `owq` folder hold them (resources/help/format.md).
struct PackedLinear {
    int bits = 3;
    Tensor qweight;     ///< latency: I32 [columns/32*bits, rows]; storage: U8 [columns-k, ceil(rows*bits/8)]
    Tensor scales;      ///< F16, BF16 or F32 [rows, groups]
    Tensor zeros;       ///< U8 [rows/2, groups], two 4-bit zeros a byte; with 8 bits U8 [rows, groups]
    Tensor oweight;     ///< as scales, [k, rows]
    Tensor outlieridx;  ///< I32 [k] ascending; an empty F32 tensor when k = 0, as the authors write it
    int64_t groupSize = 0;
    bool symmetric = false;
    PackLayout layout = PackLayout::latency;
};

/// Codes of 2, 3, 4 and 8 bits can be packed.
constexpr bool isPackedWidth(int64_t bits) { return bits == 2 || bits == 3 || bits == 4 || bits == 8; }
int checkedPackedWidth(int64_t bits, const std::string& where);  ///< Error for others

/// Throws Error when the shape does not fit the format (columns % 32, odd rows, bits not 2, 3, 4 or 8).
PackedLinear pack(const QuantizedLinear& linear, DType type, PackLayout layout = PackLayout::latency);
/// The exact inverse but for the rounding of scale and weak weights to the stored type. Everything is checked against rows and columns;
/// `where` names the linear and its file in errors.
QuantizedLinear unpack(const PackedLinear& packed, int64_t rows, int64_t columns, const std::string& where);

/// Size of the packed tensors in bytes, without packing anything. `type`: of scales and weak weights.
uint64_t packedBytes(const LinearShape& shape, DType type = DType::f16, PackLayout layout = PackLayout::latency);

}  // namespace owq
