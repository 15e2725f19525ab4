// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>
#include <memory>
#include <vector>

namespace owq {

// What the plots know of one linear (a weight matrix [rows, columns]; a column belongs to one input channel). A vector that is not
// known yet is empty; one that is known has `columns` entries, except where stated. The plots ignore a vector of any other length.
struct LayerCurves {
    QString name;  // full name in the checkpoint: model.layers.0.self_attn.q_proj
    QString run;   // in a comparison: which run's numbers these are
    QString kind;  // last part: q_proj, fc1, …; decides the colour
    int rows = 0;
    int columns = 0;
    double bits = 0;  // of the dense codes; 0: not chosen yet

    std::vector<float> hessianDiagonal;  // λ_j, diagonal of H = 2XXᵀ (paper eq. 4), mean over tokens
    std::vector<float> columnMin;        // smallest and largest weight of each column
    std::vector<float> columnMax;
    std::vector<float> columnError;  // ‖ΔW_:,j‖² after rounding to nearest
    std::vector<float> sensitivity;  // λ_j ‖ΔW_:,j‖² (paper eq. 6)
    std::vector<float> columnLoss;   // OPTQ's loss, in the order of quantization: entry i belongs to column order[i]
    std::vector<int> order;          // order of quantization; at least as long as columnLoss
    std::vector<int> weakColumns;    // kept in full precision; any order
    bool planned = false;            // weakColumns are a plan: the cut can be moved
    bool measured = false;           // true: from a finished run; false: from the unquantized model
};

// Shared, never changed after it was handed over: plots, tables and figures look at the same numbers without copies.
using LayerCurvesPtr = std::shared_ptr<const LayerCurves>;

// The last part of a linear's full name: "q_proj" of "model.layers.0.self_attn.q_proj".
QString kindOf(const QString& name);

// A name short enough for a legend, still unique within a model: "0 q_proj" of "model.layers.0.self_attn.q_proj".
QString shortName(const QString& name);

}  // namespace owq
