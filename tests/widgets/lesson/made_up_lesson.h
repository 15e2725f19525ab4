// SPDX-License-Identifier: Apache-2.0
// A lesson whose column loop is really computed, on three rows of four columns.
#pragma once
#include <algorithm>
#include <cmath>

#include "widgets/lesson/lesson_data.h"

namespace owq {

inline LessonLoop madeUpLoop(const LessonData& data, bool keepsOutlier) {
    LessonLoop loop;
    const int rows = data.height(), n = data.width();
    for (int c = 0; c < n; ++c)
        if (!keepsOutlier || c != data.outlier) loop.order.push_back(c);
    if (keepsOutlier) loop.order.push_back(loop.weak = data.outlier);
    loop.damping = 0.01;
    for (int i = 0; i < n; ++i)
        for (int k = 0; k < n; ++k) loop.factor.push_back(k < i ? 0.f : k == i ? 0.5f : 0.1f * float(k + 1));
    for (int r = 0; r < rows; ++r) {
        LessonGrid grid;
        grid.steps = 100, grid.levels = 7, grid.range = 1.4;
        grid.step = 50 + r, grid.zero = 3;
        for (int i = 1; i <= 100; ++i) {
            grid.stepSizes.push_back(double(float(1.4f / 100 * float(i) / 7)));
            for (int z = 0; z <= 7; ++z) grid.error.push_back(1e-4 * (1 + std::abs(i - grid.step) + 5 * std::abs(z - grid.zero)));
        }
        grid.scale = grid.stepSizes[size_t(grid.step - 1)];
        loop.grids.push_back(grid);
    }
    std::vector<float> w;
    for (int r = 0; r < rows; ++r)
        for (const int c : loop.order) w.push_back(data.weight[size_t(r * n + c)]);
    for (int j = 0; j < n - int(keepsOutlier); ++j) {
        LessonTurn turn;
        turn.before = w;
        for (int r = 0; r < rows; ++r) {
            const LessonGrid& grid = loop.grids[size_t(r)];
            float& cell = w[size_t(r * n + j)];
            const int code = std::clamp(int(std::nearbyint(cell / float(grid.scale))) + grid.zero, 0, 7);
            const float q = float(grid.scale) * float(code - grid.zero), e = (cell - q) / loop.factor[size_t(j * n + j)];
            turn.codes.push_back(code);
            turn.rounded.push_back(q);
            turn.error.push_back(e);
            turn.loss += double(e) * e / 2;
            cell = q;
            for (int k = j + 1; k < n; ++k) w[size_t(r * n + k)] -= e * loop.factor[size_t(j * n + k)];
        }
        loop.turns.push_back(turn);
        loop.outputError += turn.loss;
    }
    loop.last = w;
    return loop;
}

inline LessonDataPtr madeUpLesson() {
    auto data = std::make_shared<LessonData>();
    data->model = QStringLiteral("tiny");
    data->layer = QStringLiteral("model.layers.0.q_proj");
    data->text = QStringLiteral("text.txt");
    data->tokens = 1000;
    data->rows = {1, 5, 9};
    data->columns = {2, 7, 11, 30};
    data->outlier = 1;
    data->weight = {0.31f, -0.02f, 0.55f, -0.47f, -0.11f, 0.03f, 0.22f, 0.38f, 0.64f, 0.01f, -0.29f, 0.17f};
    data->hessian.assign(16, 0.1f);
    data->diagonal = {1, 900, 2, 1.5f};
    data->columnError = {0.02f, 0.01f, 0.03f, 0.02f};
    data->sensitivity = {0.02f, 9, 0.06f, 0.03f};
    LayerCurves whole;
    whole.name = data->layer;
    whole.kind = QStringLiteral("q_proj");
    whole.rows = 12, whole.columns = 32;
    whole.hessianDiagonal.assign(32, 1.f);
    whole.sensitivity.assign(32, 0.05f);
    whole.hessianDiagonal[7] = 900;
    whole.sensitivity[7] = 9;
    data->whole = std::make_shared<const LayerCurves>(whole);
    data->plain = data->weight;
    data->plainError = 0.5;
    data->all = madeUpLoop(*data, false);
    data->kept = madeUpLoop(*data, true);
    return data;
}

}  // namespace owq
