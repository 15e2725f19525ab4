// SPDX-License-Identifier: Apache-2.0
#include "tests/core/jobs/golden_ties.h"

#include <ATen/ops/linalg_cholesky.h>
#include <ATen/ops/linalg_inv.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "core/calibrate/block_runner.h"
#include "core/calibrate/hessian.h"
#include "core/checkpoint/tensor_file.h"
#include "core/store/run_directory.h"

namespace owq::golden {
namespace {

namespace fs = std::filesystem;

/// Upper U with UᵀU = (H + damping)⁻¹, in double.
at::Tensor factor(const at::Tensor& hessian, double damping) {
    at::Tensor h = hessian.to(at::kDouble);
    h.diagonal().add_(damping * h.diagonal().mean().item<double>());
    return at::linalg_cholesky(at::linalg_inv(h), true).contiguous();
}

/// What column `until` of one row holds when its turn comes, in units of the scale.
double valueAt(const LinearOutcome& outcome, const float* weight, const at::Tensor& upper, int64_t row,
               int64_t until) {
    const QuantizedLinear& q = outcome.weight;
    const double scale = q.scale[size_t(row)], zero = q.zero[size_t(row)], top = double((1 << q.bits) - 1);
    const double* u = upper.data_ptr<double>();
    std::vector<double> w(weight + row * q.columns, weight + (row + 1) * q.columns);
    for (int64_t i = 0; i < until; ++i) {
        const double code = std::clamp(std::nearbyint(w[size_t(i)] / scale) + zero, 0.0, top);
        const double error = (w[size_t(i)] - scale * (code - zero)) / u[i * q.columns + i];
        for (int64_t j = i; j < q.columns; ++j) w[size_t(j)] -= error * u[i * q.columns + j];
    }
    return w[size_t(until)] / scale;
}

TokenWindows windowsOf(const fs::path& file) {
    const Tensor ids = openTensorFile(file)->read("input_ids");
    TokenWindows windows;
    windows.length = ids.shape.at(1);
    for (int64_t id : ids.toInteger()) windows.ids.push_back(int32_t(id));
    return windows;
}

}  // namespace

size_t settleTies(const fs::path& run, const fs::path& model, const fs::path& calibration,
                  const fs::path& codes) {
    const LanguageModel dense(ModelSource::open(model));
    HessianSet sums;
    const TokenWindows windows = windowsOf(calibration);
    BlockRunner runner(dense, windows);
    runner.observe(dense.loadBlock(0),
                   [&](const std::string& group, const at::Tensor& x) { sums.add(group, x); });
    const std::map<std::string, at::Tensor> hessians = sums.finish(runner.windows());

    const auto golden = openTensorFile(codes);
    const auto directory =
        RunDirectory::open(run, readRunState(run).description, RunDirectory::IfThere::resume, DType::f16);
    size_t settled = 0;
    for (const LinearInfo& linear : dense.info().linears) {
        if (linear.name.find("layers.0.") == std::string::npos) continue;
        LinearOutcome outcome = directory->load(linear.name);
        QuantizedLinear& q = outcome.weight;
        EXPECT_TRUE(q.weakColumns.empty()) << linear.name << ": this loop knows no weak columns";
        const Tensor nibbles = golden->read(linear.name + ".codes_nib");
        const auto theirs = [&](int64_t i) {
            return uint8_t(uint8_t(nibbles.data[size_t(i / 2)]) >> (i % 2 * 4) & 15);
        };
        std::vector<float> weight;
        at::Tensor upper;
        const size_t before = settled;
        for (int64_t row = 0; row < q.rows; ++row) {
            int64_t first = 0;
            while (first < q.columns &&
                   q.codes[size_t(row * q.columns + first)] == theirs(row * q.columns + first))
                ++first;
            if (first == q.columns) continue;
            if (weight.empty()) {
                weight = dense.source().tensor(linear.name + ".weight").toFloat();
                upper = factor(hessians.at(linear.inputGroup), outcome.damping);
            }
            const double value = valueAt(outcome, weight.data(), upper, row, first);
            EXPECT_LT(std::abs(value - std::floor(value) - 0.5), 1e-5)
                << linear.name << " row " << row << " column " << first << ": " << value;
            for (int64_t c = first; c < q.columns; ++c)
                q.codes[size_t(row * q.columns + c)] = theirs(row * q.columns + c);
            ++settled;
        }
        if (settled > before) directory->store(linear, outcome);
    }
    return settled;
}

}  // namespace owq::golden
