// SPDX-License-Identifier: Apache-2.0
// A checkpoint whose linears are rounded to a grid when they are asked for: every family in every format, without calibration.
#pragma once
#include <algorithm>
#include <cmath>
#include <memory>
#include <set>

#include "core/base/transpose.h"
#include "core/model/family.h"
#include "core/model/model_source.h"

namespace owq::testing {

struct RoundedFormat {
    int bits = 4;
    int64_t groupSize = 0;
    bool symmetric = false;
    int64_t weak = 2;
    DType weakType = DType::f32;
};

class RoundedSource final : public ModelSource {
public:
    RoundedSource(std::shared_ptr<const ModelSource> model, RoundedFormat format) : model_(std::move(model)), format_(format) {}
    ModelKind kind() const override { return ModelKind::packed; }
    const ModelInfo& info() const override { return model_->info(); }
    const Json& config() const override { return model_->config(); }
    std::filesystem::path tokenizerFolder() const override { return model_->tokenizerFolder(); }
    bool has(const std::string& tensor) const override { return model_->has(tensor); }
    Tensor tensor(const std::string& tensor) const override { return model_->tensor(tensor); }
    bool quantized(const std::string& linear) const override { return info().find(linear) != nullptr; }
    QuantizedLinear linear(const std::string& name) const override {
        const LinearInfo& info = *model_->info().find(name);
        std::vector<float> w = model_->tensor(name + ".weight").toFloat();
        if (familyOf(config(), name).storedTransposed) w = transposed(w, info.columns, info.rows);
        QuantizedLinear q;
        q.rows = info.rows, q.columns = info.columns, q.bits = format_.bits, q.groupSize = format_.groupSize, q.symmetric = format_.symmetric;
        // Spread, and another set for each linear.
        std::set<int32_t> weak;
        for (int64_t j = 0; j < format_.weak; ++j) weak.insert(int32_t((7 + int64_t(name.size()) + j * 13) % q.columns));
        q.weakColumns.assign(weak.begin(), weak.end());
        q.weakType = format_.weakType;
        std::vector<char> isWeak(size_t(q.columns));
        for (const int32_t c : weak) isWeak[size_t(c)] = 1;
        const std::vector<int32_t> grid = gridOfColumns(q);
        const float last = float((1 << q.bits) - 1), middle = float(1 << (q.bits - 1));
        for (int64_t r = 0; r < q.rows; ++r) {
            const float* row = w.data() + r * q.columns;
            std::vector<float> low(size_t(q.groups()), 0.f), high(size_t(q.groups()), 1e-3f);
            for (int64_t c = 0; c < q.columns; ++c) {
                if (isWeak[size_t(c)]) continue;
                low[size_t(grid[size_t(c)])] = std::min(low[size_t(grid[size_t(c)])], row[c]);
                high[size_t(grid[size_t(c)])] = std::max(high[size_t(grid[size_t(c)])], row[c]);
            }
            for (int64_t g = 0; g < q.groups(); ++g) {
                const float l = low[size_t(g)], h = high[size_t(g)];
                q.scale.push_back(q.symmetric ? std::max(-l, h) / middle : (h - l) / last);
                q.zero.push_back(q.symmetric ? middle : std::clamp(std::nearbyint(-l / q.scale.back()), 0.f, last));
            }
            for (int64_t c = 0; c < q.columns; ++c) {
                const size_t at = size_t(r * q.groups() + grid[size_t(c)]);
                q.codes.push_back(uint8_t(isWeak[size_t(c)] ? q.zero[at] : std::clamp(std::nearbyint(row[c] / q.scale[at]) + q.zero[at], 0.f, last)));
                // Multiples of 2^-14 can be moved by such steps exactly.
                if (isWeak[size_t(c)]) q.weakWeight.push_back(std::nearbyint(row[c] * 16384) / 16384);
            }
        }
        return q;
    }

private:
    std::shared_ptr<const ModelSource> model_;
    RoundedFormat format_;
};

}  // namespace owq::testing
