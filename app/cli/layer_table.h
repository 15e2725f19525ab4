// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

#include "core/jobs/layer_report.h"

namespace owq::cli {

/// Per linear, on the standard output: size, bits, weak columns, error, damping and what did not go by the book.
void printLayers(const std::vector<LayerReport>& layers);
/// Per linear of a model that is not quantized: where the Hessian and the sensitivity are largest.
void printAnalysis(const std::vector<LayerReport>& layers);
/// On the standard error output.
void printWarnings(const std::vector<std::string>& warnings);

}  // namespace owq::cli
