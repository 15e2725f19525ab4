// SPDX-License-Identifier: Apache-2.0
#include "app/cli/layer_table.h"

#include <algorithm>
#include <iostream>

#include "app/cli/format.h"
#include "app/cli/table.h"

namespace owq::cli {
namespace {

std::string largest(const std::vector<float>& values) {
    if (values.empty()) return "";
    const auto it = std::max_element(values.begin(), values.end());
    return numberText(*it) + " (column " + std::to_string(it - values.begin()) + ")";
}

}  // namespace

void printLayers(const std::vector<LayerReport>& layers) {
    Table table({"linear", ">rows", ">columns", ">bits", ">weak", ">error", ">damping", "note"});
    for (const LayerReport& layer : layers) {
        std::string notes;
        for (const std::string& note : layer.notes) notes += (notes.empty() ? "" : "; ") + note;
        table.add({layer.linear.name, std::to_string(layer.linear.rows), std::to_string(layer.linear.columns),
                   std::to_string(layer.bits), std::to_string(layer.weakColumns.size()),
                   layer.quantized ? numberText(layer.error) : "", layer.quantized ? numberText(layer.damping) : "", notes});
    }
    table.print(std::cout);
}

void printAnalysis(const std::vector<LayerReport>& layers) {
    Table table({"linear", ">rows", ">columns", ">weak", ">largest Hessian diagonal", ">largest sensitivity"});
    for (const LayerReport& layer : layers)
        table.add({layer.linear.name, std::to_string(layer.linear.rows), std::to_string(layer.linear.columns),
                   std::to_string(layer.weakColumns.size()), largest(layer.statistics.hessianDiagonal),
                   largest(layer.statistics.sensitivity)});
    table.print(std::cout);
}

void printWarnings(const std::vector<std::string>& warnings) {
    std::cout.flush();
    for (const std::string& warning : warnings) std::cerr << "owq: warning: " << warning << '\n';
}

}  // namespace owq::cli
