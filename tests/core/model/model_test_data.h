// SPDX-License-Identifier: Apache-2.0
// Golden data of the sample models and helpers shared by the tests of model, calibrate, evaluate and
// generate.
#pragma once
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/max.h>

#include <filesystem>
#include <string>

#include "core/base/json.h"
#include "core/checkpoint/tensor_file.h"
#include "core/model/language_model.h"
#include "core/model/torch_tensor.h"

namespace owq::testing {

inline std::filesystem::path sampleModel(const std::string& family) {
    return std::filesystem::path(OWQ_SAMPLE) / ("sample-" + family);
}

inline std::shared_ptr<const TensorFile> golden(const std::string& family, const std::string& file) {
    return openTensorFile(std::filesystem::path(OWQ_TEST_DATA) / "reference" / family / file);
}

inline at::Tensor ids(const Tensor& tensor) {
    const std::vector<int64_t> values = tensor.toInteger();
    return at::from_blob(const_cast<int64_t*>(values.data()), tensor.shape, at::TensorOptions(at::kLong))
        .clone();
}

/// max |a - b|, NaN when any is.
inline double distance(const at::Tensor& a, const at::Tensor& b) {
    return a.sub(b).abs().max().item().toDouble();
}

}  // namespace owq::testing
