// SPDX-License-Identifier: Apache-2.0
// Linears in the form of GPTQ checkpoints, for other programs to load (resources/help/format.md).
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/tensor.h"
#include "core/pack/packed_linear.h"
#include "core/pack/tensor_stream.h"
#include "core/quantize/quantized_linear.h"

namespace owq {

/// `checkpoint_format`. v1 holds each zero less one, so that a zero of 0 cannot be told from 2^bits; v2 holds it as it is.
enum class GptqVersion { v1, v2 };

struct GptqLinear {
    Tensor qweight;  ///< I32 [columns/32*bits, rows], packed along columns
    Tensor qzeros;   ///< I32 [groups, rows/32*bits], packed along rows
    Tensor scales;   ///< F16 [groups, rows]
    Tensor groupOf;  ///< I32 [columns], the group of each column (column / groupSize); "g_idx" in files
};

/// Throws Error for what the form cannot hold: weak columns, widths other than 2, 3, 4 and 8, rows or columns that are no multiple
/// of 32, columns that groups do not divide.
void checkGptq(const LinearShape& shape);
std::vector<TensorPlan> gptqPlan(const LinearShape& shape);

/// Throws Error when v1 is asked to hold a zero of 0, or a scale does not fit F16.
GptqLinear packGptq(const QuantizedLinear& linear, GptqVersion version);
/// The exact inverse but for the rounding of scales to F16. Everything is checked; `where` names the linear in errors.
QuantizedLinear unpackGptq(const GptqLinear& packed, const LinearShape& shape, GptqVersion version, const std::string& where);

/// Whether v1 can hold it, which more programs read.
bool fitsGptqV1(const QuantizedLinear& linear);
/// `quantization_config` of config.json, and the whole of quantize_config.json.
Json gptqConfig(const LinearShape& shape, GptqVersion version);

}  // namespace owq
