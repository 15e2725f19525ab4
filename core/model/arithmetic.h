// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

namespace owq {

/// How linears hold their weights and are multiplied. On a GPU (core/device) packed inputs become two fp16 halves each, with `int8` one; what is not
/// packed there is fp32. Attention, norms and sums are always fp32, and so are the products of linears that are not quantized, whose
/// weights stay in the checkpoint's dtype with all but `dense`. Keys and values of a text that is generated on the CPU are kept as fp16 with the last two.
enum class Arithmetic {
    dense,       ///< weights dequantized to fp32 at load: fastest for many tokens, where memory is no concern
    exact,       ///< weights stay packed, inputs stay fp32
    doubleInt8,  ///< weights stay packed, each input becomes the sum of two 8-bit numbers: output off by less than 1e-4 (rms, relative)
    int8         ///< weights stay packed, each input becomes one 8-bit number: for models whose activations have outliers only a sketch
};

/// "dense", "exact", "int8x2", "int8".
std::string arithmeticName(Arithmetic arithmetic);
/// Throws Error listing the names.
Arithmetic arithmeticFromName(const std::string& name);

}  // namespace owq
