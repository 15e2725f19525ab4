// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <memory>

#include "widgets/plot/layer_curves.h"

namespace owq::testing {

// Six columns whose numbers are easy to follow by head: sensitivity = λ · error; column 4 is weak, then 1.
inline std::shared_ptr<LayerCurves> sixColumns(const QString& name = QStringLiteral("model.layers.0.self_attn.q_proj")) {
    auto curves = std::make_shared<LayerCurves>();
    curves->name = name;
    curves->kind = kindOf(name);
    curves->rows = 3;
    curves->columns = 6;
    curves->hessianDiagonal = {1, 10, 2, 4, 1000, 0};
    curves->columnError = {2, 2, 4, 1, 1, 5};
    curves->sensitivity = {2, 20, 8, 4, 1000, 0};
    curves->columnMin = {-1, -2, -3, -1, -2, -1};
    curves->columnMax = {1, 2, 1, 1, 3, 1};
    curves->weakColumns = {1, 4};
    return curves;
}

// n columns with one outlier every hundred; no randomness, so that every run sees the same.
inline std::shared_ptr<LayerCurves> manyColumns(int n, const QString& name) {
    auto curves = std::make_shared<LayerCurves>();
    curves->name = name;
    curves->kind = kindOf(name);
    curves->rows = curves->columns = n;
    for (int j = 0; j < n; ++j) {
        const float noise = static_cast<float>((j * 7919) % 1013) / 1013.0F;
        const float hessian = (1 + noise) * (j % 100 == 37 ? 300.0F : 1.0F);
        curves->hessianDiagonal.push_back(hessian);
        curves->columnError.push_back(0.1F + noise);
        curves->sensitivity.push_back(hessian * (0.1F + noise));
        curves->columnMin.push_back(-noise);
        curves->columnMax.push_back(noise);
    }
    return curves;
}

}  // namespace owq::testing
