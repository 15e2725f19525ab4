// SPDX-License-Identifier: Apache-2.0
// Private to core sources. Weights that give the original model's outputs on the inputs of the quantized one.
#pragma once
#include <ATen/core/Tensor.h>

#include <map>
#include <string>

namespace owq {

/// Σ (x - y) yᵀ over tokens: x the input of a linear in the original model, y in the model whose earlier
/// linears are quantized. The weight W' = W + W P, P = E (H + λ)⁻¹, minimizes Σ |W x - W' y|² + λ |W - W'|²
/// (E and H scaled alike, H = Σ y yᵀ). After the asymmetric calibration of GPTAQ (Li et al. 2025), here in
/// closed form before the column loop.
class InputDrift {
public:
    /// x, y fp32 [tokens, columns], contiguous.
    void add(const std::string& group, const at::Tensor& x, const at::Tensor& y);
    /// P of one group, fp32 [columns, columns], times `strength`; undefined when the group saw nothing or H +
    /// λ is not positive definite. hessian: as Hessian::finish gives it, of y, for the same windows; damping:
    /// share of its mean diagonal that is λ.
    at::Tensor correction(const std::string& group, const at::Tensor& hessian, int64_t windows,
                          double damping, double strength) const;

private:
    std::map<std::string, at::Tensor> sums_;
};

}  // namespace owq
