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

/// A tensor for LibTorch, where it lies or, when that is no address for its dtype, copied.
struct StoredValues {
    explicit StoredValues(const Tensor& tensor) {
        const at::TensorOptions type(scalarType(tensor.dtype));
        if (reinterpret_cast<uintptr_t>(tensor.data) % byteSize(tensor.dtype) == 0 && tensor.count() > 0) {
            values = at::from_blob(const_cast<std::byte*>(tensor.data), tensor.shape, [owner = tensor.owner](void*) {}, type);
        } else {
            values = at::empty(tensor.shape, type);
            if (tensor.bytes()) std::memcpy(values.data_ptr(), tensor.data, tensor.bytes());
            copied = true;
        }
    }
    at::Tensor values;
    bool copied = false;
};

void checkFinite(const at::Tensor& values, const std::string& name) {
    if (values.numel() == 0) return;
    const auto [low, high] = at::aminmax(values);  // NaN wins in both
    if (!std::isfinite(low.item<float>()) || !std::isfinite(high.item<float>()))
        throw Error("tensor " + name + " holds values that are not finite (NaN or infinity)", {},
                    "The checkpoint is damaged; get it again from its publisher.");
}

}  // namespace

at::Tensor toFloatTensor(const Tensor& tensor, at::Device place) {
    const StoredValues stored(tensor);
    const bool copied = stored.copied || !place.is_cpu();
    return stored.values.to(place, stored.values.scalar_type()).to(at::TensorOptions(at::kFloat).device(place), /*non_blocking=*/false, /*copy=*/!copied);
}

at::Tensor loadFloat(const ModelSource& source, const std::string& name, at::Device place) {
    const Tensor stored = source.tensor(name);
    at::Tensor values = toFloatTensor(stored, place);
    releasePages(stored.data, stored.bytes());
    checkFinite(values, name);
    return values;
}

at::Tensor loadStored(const ModelSource& source, const std::string& name) {
    if (source.tensor(name).dtype == DType::f64) return loadFloat(source, name);
    const Tensor stored = source.tensor(name);
    const at::Tensor values = StoredValues(stored).values;
    checkFinite(values, name);
    return values;
}

at::Tensor idTensor(const int32_t* ids, int64_t count, int64_t length) {
    at::Tensor out = at::empty({count, length}, at::TensorOptions(at::kLong));
    int64_t* to = out.data_ptr<int64_t>();
    for (int64_t i = 0; i < count * length; ++i) to[i] = ids[i];
    return out;
}

}  // namespace owq
