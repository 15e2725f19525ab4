// SPDX-License-Identifier: Apache-2.0
#include "core/model/torch_tensor.h"

#include <ATen/ops/aminmax.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>

#include <cmath>
#include <cstring>

#include "core/base/error.h"
#include "core/base/file.h"

namespace owq {
namespace {

at::ScalarType scalarType(DType type) {
    switch (type) {
        case DType::f16:
            return at::kHalf;
        case DType::bf16:
            return at::kBFloat16;
        case DType::f32:
            return at::kFloat;
        case DType::f64:
            return at::kDouble;
        default:
            throw Error("a tensor of " + std::string(name(type)) + " values cannot be computed with", {},
                        "Use a checkpoint in F16, BF16 or F32.");
    }
}

}  // namespace

at::Tensor toFloatTensor(const Tensor& tensor, at::Device place) {
    const at::ScalarType type = scalarType(tensor.dtype);
    const size_t alignment = byteSize(tensor.dtype);
    at::Tensor stored;
    bool copied = !place.is_cpu();
    if (reinterpret_cast<uintptr_t>(tensor.data) % alignment == 0 && tensor.count() > 0) {
        stored = at::from_blob(const_cast<std::byte*>(tensor.data), tensor.shape, at::TensorOptions(type));
    } else {
        stored = at::empty(tensor.shape, at::TensorOptions(type));
        if (tensor.bytes()) std::memcpy(stored.data_ptr(), tensor.data, tensor.bytes());
        copied = true;
    }
    return stored.to(place, type).to(at::TensorOptions(at::kFloat).device(place), /*non_blocking=*/false, /*copy=*/!copied);
}

at::Tensor loadFloat(const ModelSource& source, const std::string& name, at::Device place) {
    const Tensor stored = source.tensor(name);
    at::Tensor values = toFloatTensor(stored, place);
    releasePages(stored.data, stored.bytes());
    if (values.numel() == 0) return values;
    const auto [low, high] = at::aminmax(values);  // NaN wins in both
    if (!std::isfinite(low.item<float>()) || !std::isfinite(high.item<float>()))
        throw Error("tensor " + name + " holds values that are not finite (NaN or infinity)", {},
                    "The checkpoint is damaged; get it again from its publisher.");
    return values;
}

at::Tensor idTensor(const int32_t* ids, int64_t count, int64_t length) {
    at::Tensor out = at::empty({count, length}, at::TensorOptions(at::kLong));
    int64_t* to = out.data_ptr<int64_t>();
    for (int64_t i = 0; i < count * length; ++i) to[i] = ids[i];
    return out;
}

}  // namespace owq
