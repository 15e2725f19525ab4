// SPDX-License-Identifier: Apache-2.0
// The mathematics of one linear: matrices in, codes out.
#pragma once
#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/tensor.h"
#include "core/quantize/quantized_linear.h"

namespace owq {

enum class Method { rtn, optq, owq };
enum class WeakMetric { sensitivity, hessian, weightError, weightMagnitude };  ///< paper Table 7

/// How one linear is quantized. Defaults are the authors' for 3-bit OWQ.
struct LinearRecipe {
    Method method = Method::owq;
    int bits = 3;
    int64_t weakColumns = 0;
    bool searchGrid = true;  ///< range search, p = 2.4; false: min-max
    bool eitherGrid = false; ///< the column loop runs with the searched grid and with min-max; each row keeps the one that loses less
    bool symmetric = false;
    int64_t groupSize = 0;   ///< 0: one grid per row
    bool actOrder = false;
    double damping = 0.01;   ///< share of the mean of the Hessian's diagonal
    WeakMetric metric = WeakMetric::sensitivity;
    DType storedType = DType::f16;  ///< of weak columns
    DType scaleType = DType::f32;   ///< scales are rounded to it before the loop; f32: afterwards, when they are stored
    int refinePasses = 0;           ///< of coordinate descent and least squares after the column loop (core/quantize/refine.h)
};

struct StageSeconds {
    double forward = 0, hessian = 0, rangeSearch = 0, columnLoop = 0, total = 0;  ///< columnLoop: with the factorization
};

struct LinearOutcome {
    QuantizedLinear weight;
    LinearStatistics statistics;
    double error = 0;    ///< Σ (w - q)² / U_jj² / 2 (OPTQ loss); for rtn Σ H_jj (w - q)² / 2 when H is known
    double damping = 0;  ///< share really used, after any raise
    std::vector<std::string> notes;  ///< what did not go by the book, and its likely cause
    StageSeconds seconds;
};

/// weight: [rows, columns] row-major floats. hessian: [columns, columns], H = (2/n) Σ x xᵀ before damping, or null (rtn only).
/// A Hessian that is not finite leaves plain rounding, which the notes say. Throws Error (weight not finite, impossible recipe) and Cancelled.
LinearOutcome quantizeLinear(const float* weight, int64_t rows, int64_t columns, const float* hessian,
                             const LinearRecipe& recipe, std::stop_token stop = {});

/// The statistics that need no column loop: column ranges, ranking-grid error, sensitivity (hessianDiagonal may be null:
/// then without the last).
LinearStatistics analyzeLinear(const float* weight, int64_t rows, int64_t columns, const float* hessianDiagonal,
                               const LinearRecipe& recipe, std::stop_token stop = {});

/// Columns by falling importance under the metric, ties by lower index.
std::vector<int32_t> rankColumns(const LinearStatistics& statistics, const float* weight, int64_t rows, int64_t columns,
                                 WeakMetric metric);

std::string methodName(Method method);
Method methodFromName(const std::string& name);  ///< Error on another name
std::string metricName(WeakMetric metric);
WeakMetric metricFromName(const std::string& name);

}  // namespace owq
