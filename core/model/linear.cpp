// SPDX-License-Identifier: Apache-2.0
#include "core/model/linear.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>

#include <cstring>

#include "core/model/torch_tensor.h"

namespace owq {

Linear::Linear(at::Tensor weight, at::Tensor bias)
    : rows_(weight.size(0)), columns_(weight.size(1)), weight_(std::move(weight)), bias_(std::move(bias)) {}

Linear Linear::load(const ModelSource& source, const std::string& name, WeightForm form) {
    Linear out;
    // The authors' packed files hold a bias of zeros where the model has none.
    const LinearInfo* info = source.info().find(name);
    if (info && info->bias) out.bias_ = loadFloat(source, name + ".bias");
    if (!source.quantized(name)) {
        out.setWeight(loadFloat(source, name + ".weight"));
        return out;
    }
    const QuantizedLinear quantized = source.linear(name);
    out.rows_ = quantized.rows;
    out.columns_ = quantized.columns;
    out.setWeight(dequantize(quantized).data());
    return out;
}

at::Tensor Linear::forward(const at::Tensor& x) const {
    return at::linear(x, weight_, bias_.defined() ? std::optional<at::Tensor>(bias_) : std::nullopt);
}

at::Tensor Linear::weight() const {
    return weight_;
}

void Linear::setWeight(const float* weight) {
    at::Tensor copy = at::empty({rows_, columns_}, at::TensorOptions(at::kFloat));
    std::memcpy(copy.data_ptr<float>(), weight, size_t(rows_ * columns_) * sizeof(float));
    setWeight(std::move(copy));
}

void Linear::setWeight(at::Tensor weight) {
    rows_ = weight.size(0);
    columns_ = weight.size(1);
    weight_ = std::move(weight);
    packed_.reset();
}

}  // namespace owq
