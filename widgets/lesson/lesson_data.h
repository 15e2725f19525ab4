// SPDX-License-Identifier: GPL-3.0-or-later
// What the lesson is about: a piece of one linear with every step of its quantization. Matrices are row-major.
#pragma once
#include <QString>
#include <memory>
#include <vector>

#include "widgets/plot/layer_curves.h"

namespace owq {

// What the range search chose among for one row.
struct LessonGrid {
    int steps = 0, levels = 0;      // candidates of the step size; largest code
    double range = 0;               // of the row's values with 0
    std::vector<double> stepSizes;  // [steps]
    std::vector<double> error;      // [steps, levels + 1]: mean |error|^2.4
    int step = 1, zero = 0;         // the chosen ones, step from 1
    double scale = 0;               // the scale that is used

    double at(int i, int z) const { return error[size_t(i - 1) * size_t(levels + 1) + size_t(z)]; }
};

// One column's turn; columns of the matrices are in the loop's order.
struct LessonTurn {
    std::vector<float> before;          // [rows, columns]
    std::vector<int> codes;             // [rows]
    std::vector<float> rounded, error;  // [rows]: q, and e = (w - q) / U_jj
    double loss = 0;                    // Σ e² / 2
};

struct LessonLoop {
    std::vector<int> order;          // column of the piece at each place of the loop
    int weak = -1;                   // column of the piece that is kept in 16 bit, the last in the order; -1: none
    double damping = 0;              // share of the mean of H's diagonal
    std::vector<float> factor;       // U [columns, columns], in the loop's order
    std::vector<LessonGrid> grids;   // of each row
    std::vector<LessonTurn> turns;
    std::vector<float> last;         // [rows, columns] after the last turn
    double outputError = 0;          // ½ Σ Δ H Δᵀ

    const std::vector<float>& after(size_t turn) const { return turn + 1 < turns.size() ? turns[turn + 1].before : last; }
};

struct LessonData {
    QString model, layer, text;             // text: where the calibration tokens are from
    int bits = 3;
    int tokens = 0;
    std::vector<int> rows, columns;         // which ones of the linear, ascending
    int outlier = 0;                        // place in `columns` of the most sensitive one
    std::vector<float> weight;              // [rows, columns]
    std::vector<float> hessian;             // [columns, columns], without damping
    std::vector<float> diagonal, columnError, sensitivity;  // of the piece, [columns]
    LayerCurvesPtr whole;                   // of the whole linear
    std::vector<float> plain;               // [rows, columns]: rounded without a loop
    double plainError = 0;
    LessonLoop all, kept;                   // every column quantized; the outlier kept in 16 bit

    int height() const { return int(rows.size()); }
    int width() const { return int(columns.size()); }
};

using LessonDataPtr = std::shared_ptr<const LessonData>;

}  // namespace owq
