// SPDX-License-Identifier: Apache-2.0
// Private to core sources. Gradients through operations that LibTorch does not know: an own kernel computes the value, and a function
// beside it the gradient. Only tuning asks for gradients; without grad mode none of this costs anything.
#pragma once
#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

namespace owq {

/// Whether own kernels can compute with it: fp32 in host memory. Elsewhere, and in fp64, LibTorch's operations do.
bool fitsKernels(const at::Tensor& x);
/// Whether a gradient is wanted of what is made of x now. An undefined tensor wants none.
bool tracked(const at::Tensor& x);

/// From the output's gradient to one for each input; what is not wanted may be left undefined.
using BackwardFunction = std::function<std::vector<at::Tensor>(const at::Tensor& gradient, const std::vector<bool>& wanted)>;
/// Formula of some inputs in LibTorch's operations.
using Formula = std::function<at::Tensor(const std::vector<at::Tensor>& inputs)>;

/// Makes y, computed without grad mode from `inputs` (undefined ones have no gradient), one of their descendants. What `backward`
/// captures must not be written to afterwards, nor may it hold y.
at::Tensor withBackward(at::Tensor y, const std::vector<at::Tensor>& inputs, BackwardFunction backward);
/// The same, where y is what `formula` gives within rounding: the formula is computed again and differentiated when the gradient comes.
at::Tensor withFormula(at::Tensor y, const std::vector<at::Tensor>& inputs, Formula formula);

/// Σ gradient * dy/dx for each x of `of`; y's graph is used up.
std::vector<at::Tensor> gradients(const at::Tensor& y, const std::vector<at::Tensor>& of, const at::Tensor& gradient);

}  // namespace owq
