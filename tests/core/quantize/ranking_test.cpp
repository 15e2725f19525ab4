// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/quantize/quantize.h"
#include "tests/core/quantize/golden.h"

namespace owq {
namespace {

/// Every linear of the first block, those without a recorded Hessian too: its diagonal is enough.
TEST(Ranking, GoldenWeakColumnsFromTheDiagonal) {
    for (const char* which : {"opt", "llama"}) {
        golden::Archive model = golden::model(which), run = golden::run(which, "owq3.05");
        const Json layers = golden::index(which).at("runs").at("owq3.05").at("layers");
        for (const auto& [name, layer] : layers.items()) {
            if (name.find("layers.0.") == std::string::npos) continue;
            const Tensor tensor = model.read(name + ".weight");
            const std::vector<float> weight = tensor.toFloat(), diagonal = run.floats(name + ".h_diag");
            const LinearStatistics statistics =
                analyzeLinear(weight.data(), tensor.shape[0], tensor.shape[1], diagonal.data(), LinearRecipe{});
            const auto ranking =
                rankColumns(statistics, weight.data(), tensor.shape[0], tensor.shape[1], WeakMetric::sensitivity);
            const int64_t k = layer.at("n_out").get<int64_t>();
            if (k == 0) continue;
            EXPECT_EQ(std::vector<int32_t>(ranking.begin(), ranking.begin() + k),
                      run.integers(name + ".weak_ids_by_sensitivity")) << name;
        }
    }
}

TEST(Ranking, TiesGoToTheLowerIndex) {
    LinearStatistics statistics;
    statistics.sensitivity = {1, 3, 3, 0, 3};
    EXPECT_EQ(rankColumns(statistics, nullptr, 0, 5, WeakMetric::sensitivity), (std::vector<int32_t>{1, 2, 4, 0, 3}));
}

TEST(Ranking, EveryMetric) {
    const float weight[] = {1, -8, 2, 1, 8, 3};
    const float diagonal[] = {1, 2, 3};
    const LinearStatistics s = analyzeLinear(weight, 2, 3, diagonal, {});
    EXPECT_EQ(rankColumns(s, weight, 2, 3, WeakMetric::hessian), (std::vector<int32_t>{2, 1, 0}));
    EXPECT_EQ(rankColumns(s, weight, 2, 3, WeakMetric::weightMagnitude), (std::vector<int32_t>{1, 2, 0}));
    EXPECT_EQ(s.columnMin, (std::vector<float>{1, -8, 2}));
    EXPECT_EQ(s.columnMax, (std::vector<float>{1, 8, 3}));
    for (int c = 0; c < 3; c++) EXPECT_EQ(s.sensitivity[c], s.columnError[c] * diagonal[c]);
    const LinearStatistics without = analyzeLinear(weight, 2, 3, nullptr, {});
    EXPECT_TRUE(without.sensitivity.empty());
    EXPECT_THROW(rankColumns(without, weight, 2, 3, WeakMetric::sensitivity), Error);
    EXPECT_NO_THROW(rankColumns(without, weight, 2, 3, WeakMetric::weightError));
}

TEST(Names, ThereAndBack) {
    for (Method m : {Method::rtn, Method::optq, Method::owq}) EXPECT_EQ(methodFromName(methodName(m)), m);
    for (WeakMetric m : {WeakMetric::sensitivity, WeakMetric::hessian, WeakMetric::weightError, WeakMetric::weightMagnitude})
        EXPECT_EQ(metricFromName(metricName(m)), m);
    EXPECT_THROW(methodFromName("gptq"), Error);
    EXPECT_THROW(metricFromName(""), Error);
}

}  // namespace
}  // namespace owq
