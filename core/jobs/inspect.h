// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/analyze/column_ranges.h"
#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/checkpoint/tensor_file.h"
#include "core/model/model_source.h"

namespace owq {

struct InspectOptions {
    std::filesystem::path model;
    std::filesystem::path modelFolder;  ///< for a lone .pth
    bool statistics = false;            ///< weight column ranges of every quantizable linear (reads the weights)
    std::string layer;                  ///< the same for this linear only
    std::string tensor;                 ///< values of this tensor
};

struct TensorValues {
    TensorInfo info;
    std::vector<double> first;  ///< up to 64 values
    double min = 0, max = 0, mean = 0;  ///< over the finite values
    int64_t nonFinite = 0;
};

struct InspectResult {
    ModelKind kind = ModelKind::unknown;
    std::filesystem::path path;
    ModelInfo info;                      ///< empty for a bare tensor file
    std::string tokenizer;               ///< description, or why there is none
    std::vector<std::filesystem::path> files;
    std::vector<TensorInfo> tensors;
    std::vector<ColumnRanges> ranges;
    std::optional<TensorValues> tensor;
    std::string state;                   ///< for a run directory: "finished", "12 of 42 linears finished"
};

InspectResult inspect(const InspectOptions& options, Progress& progress, std::stop_token stop);
/// The contract of DESIGN section 4.
Json toJson(const InspectResult& result);

}  // namespace owq
