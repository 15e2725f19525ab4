// SPDX-License-Identifier: Apache-2.0
#include "kernels/row_sorter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <map>
#include <random>

namespace owq::kernels {
namespace {

void expectSorted(const std::vector<float>& row) {
    std::map<float, int> expected;
    float low = 0, high = 0;
    for (const float v : row) {
        expected[v]++;
        low = std::min(low, v);
        high = std::max(high, v);
    }
    RowSorter sorter(int64_t(row.size()) + 3);
    std::vector<float> sorted(row.size()), times(row.size());
    for (int repeat = 0; repeat < 2; ++repeat) {
        ASSERT_EQ(sorter.sort(row.data(), int64_t(row.size()), low, high, sorted.data(), times.data()), int64_t(expected.size()));
        size_t i = 0;
        for (const auto& [value, count] : expected) {
            ASSERT_EQ(sorted[i], value);
            ASSERT_EQ(times[i++], float(count));
        }
    }
}

TEST(RowSorter, SortsEveryKindOfRow) {
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    std::cauchy_distribution<float> heavy;
    const std::map<std::string, std::function<float()>> kinds{
        {"normal", [&] { return normal(random); }},
        {"far outliers, sorted by digits", [&] { return heavy(random); }},
        {"one far outlier", [&] { return random() % 500 ? normal(random) : 1e6f; }},
        {"few values", [&] { return std::round(2 * normal(random)); }},
        {"one side", [&] { return std::abs(normal(random)); }},
        {"tiny", [&] { return normal(random) * 1e-38f; }},
        {"denormal", [&] { return std::round(3 * normal(random)) * 1.4e-45f; }},
        {"huge", [&] { return normal(random) * 1e37f; }},
        {"both zeros", [&] { return random() % 3 ? normal(random) : random() % 2 ? 0.f : -0.f; }},
    };
    for (const auto& [name, draw] : kinds)
        for (const int64_t count : {1, 2, 3, 17, 256, 1000, 2048, 11008, 40000}) {
            SCOPED_TRACE(name + " " + std::to_string(count));
            std::vector<float> row;
            for (int64_t i = 0; i < count; ++i) row.push_back(draw());
            row[0] = row[0] == 0 ? 1e-38f : row[0];  // a row of zeros has no range to divide
            expectSorted(row);
        }
}

}  // namespace
}  // namespace owq::kernels
