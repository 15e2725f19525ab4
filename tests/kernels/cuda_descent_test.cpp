// SPDX-License-Identifier: Apache-2.0
// Coordinate descent on the CPU against its rule, and the arithmetic of the GPU's, run lane by lane on the host.
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/column_loop.h"
#include "kernels/cuda/arguments.h"
#include "kernels/cuda/descent_thread.h"
#include "tests/kernels/descent_case.h"

namespace owq::kernels {
namespace {

using namespace cuda;

/// kernels/cuda/descent.cu: 32 lanes in step, each with four columns.
DescentCase::Result laneByLane(const DescentCase& p) {
    DescentCase::Result out{p.codes, std::vector<float>(size_t(p.rows * p.columns), -1)};
    for (int64_t row = 0; row < p.rows; ++row) {
        float pull[kDescentColumns * kDescentLanes] = {};
        std::copy_n(&p.pull[size_t(row * p.stride())], p.columns, pull);
        for (int64_t column = 0; column < p.columns; ++column) {
            const size_t grid = size_t(row * p.grids + p.grid[size_t(column)]), at = size_t(row * p.stride() + column);
            const DescentStep step = descend(pull[column], float(p.codes[at]), p.scale[grid], p.zero[grid],
                                             p.hessian[size_t(column * p.stride() + column)], float((1 << p.bits) - 1));
            out.codes[at] = uint8_t(step.code);
            out.change[size_t(row * p.columns + column)] = step.change;
            if (step.change == 0) continue;
            for (int64_t k = column; k < p.columns; ++k)
                pull[k] = pull[k] - step.change * p.hessian[size_t(column * p.stride() + k)];
        }
    }
    return out;
}

TEST(CudaDescent, EqualsTheCpuToTheBit) { expectDescentEqualsCpu(laneByLane); }

TEST(Descent, NoSingleCodeCouldDoBetterAtItsTurn) {
    const DescentCase p(50, 60, 3, 0, 9);
    const DescentCase::Result out = p.onCpu();
    int64_t moved = 0;
    for (int64_t r = 0; r < p.rows; ++r) {
        std::vector<double> pull(p.pull.begin() + r * p.stride(), p.pull.begin() + r * p.stride() + p.columns);
        const double scale = p.scale[size_t(r)], zero = p.zero[size_t(r)];
        for (int64_t j = 0; j < p.columns; ++j) {
            const double old = scale * (p.codes[size_t(r * p.stride() + j)] - zero), curve = p.hessian[size_t(j * p.stride() + j)];
            const auto loss = [&](int code) {
                const double d = scale * (code - zero) - old;
                return d * d * curve / 2 - d * pull[size_t(j)];
            };
            const int chosen = out.codes[size_t(r * p.stride() + j)];
            for (int code = 0; code < 8; ++code) EXPECT_LE(loss(chosen), loss(code) + 1e-6) << r << ", " << j;
            const double d = scale * (chosen - zero) - old;
            EXPECT_NEAR(out.change[size_t(r * p.columns + j)], d, 1e-6);
            moved += d != 0;
            for (int64_t k = j; k < p.columns; ++k) pull[size_t(k)] -= d * p.hessian[size_t(j * p.stride() + k)];
        }
        for (int64_t c = p.columns; c < p.stride(); ++c)
            EXPECT_EQ(out.codes[size_t(r * p.stride() + c)], p.codes[size_t(r * p.stride() + c)]) << "beside the block";
    }
    EXPECT_GT(moved, 100);
}

TEST(CudaDescent, ImpossibleWorkIsRefused) {
    float floats[4] = {};
    uint8_t codes[4] = {};
    int32_t grid[2] = {};
    const OwqCudaDescent good{2, 2, floats, 2, floats, 2, floats, floats, 1, grid, 3, codes, 2, floats, 2};
    EXPECT_EQ(fault(good), nullptr);
    const auto changed = [good](auto change) {
        OwqCudaDescent d = good;
        change(d);
        return fault(d);
    };
    EXPECT_NE(changed([](auto& d) { d.pull = nullptr; }), nullptr);
    EXPECT_NE(changed([](auto& d) { d.codeStride = 1; }), nullptr);
    EXPECT_NE(changed([](auto& d) { d.bits = 1; }), nullptr);
    EXPECT_NE(changed([](auto& d) { d.columns = 129; }), nullptr);
    EXPECT_NE(changed([](auto& d) { d.gridStride = 0; }), nullptr);
    EXPECT_EQ(changed([](auto& d) { d.rows = 0, d.pull = nullptr; }), nullptr);
    EXPECT_EQ(kDescentLanes * kDescentColumns, kBlockColumns);
}

}  // namespace
}  // namespace owq::kernels
