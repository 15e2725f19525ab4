// SPDX-License-Identifier: Apache-2.0
#include "core/model/rounded_head.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/model/forwarding_source.h"
#include "core/model/open_source.h"
#include "kernels/range_search.h"

namespace owq {
namespace {

constexpr int64_t kRowsAtOnce = 256;

std::string headName(const ModelSource& source) { return namesOf(source, parseModelConfig(source.config(), "config.json")).head; }

class RoundedHead final : public ForwardingSource {
public:
    RoundedHead(std::shared_ptr<const ModelSource> source, int bits) : ForwardingSource(std::move(source)), head_(headName(*source_)), bits_(bits) {}

    bool quantized(const std::string& linear) const override { return linear == head_ || source_->quantized(linear); }
    QuantizedLinear linear(const std::string& linear) const override { return linear == head_ ? rounded() : source_->linear(linear); }

private:
    QuantizedLinear rounded() const {
        const Tensor weight = source_->tensor(head_ + ".weight");
        QuantizedLinear out;
        out.rows = weight.shape[0];
        out.columns = weight.shape[1];
        out.bits = bits_;
        out.codes.resize(size_t(out.rows * out.columns));
        out.scale.resize(size_t(out.rows));
        out.zero.resize(size_t(out.rows));
        const size_t rowBytes = size_t(out.columns) * byteSize(weight.dtype);
        for (int64_t begin = 0; begin < out.rows; begin += kRowsAtOnce) {
            const int64_t count = std::min(kRowsAtOnce, out.rows - begin);
            const std::vector<float> rows =
                Tensor{weight.dtype, {count, out.columns}, weight.data + size_t(begin) * rowBytes, weight.owner}.toFloat();
            if (!std::all_of(rows.begin(), rows.end(), [](float v) { return std::isfinite(v); }))
                throw Error("tensor " + head_ + ".weight holds values that are not finite (NaN or infinity)", {},
                            "The checkpoint is damaged; get it again from its publisher.");
            float *const scale = &out.scale[size_t(begin)], *const zero = &out.zero[size_t(begin)];
            kernels::findGrid(rows.data(), count, out.columns, out.columns, nullptr, {.bits = bits_, .search = false}, scale, zero);
            kernels::roundToGrid(rows.data(), count, out.columns, out.columns, scale, zero, bits_, &out.codes[size_t(begin * out.columns)], nullptr);
        }
        releasePages(weight.data, weight.bytes());
        return out;
    }

    std::string head_;  ///< without ".weight"
    int bits_;
};

}  // namespace

HeadShape headShape(const ModelSource& source) {
    const Tensor weight = source.tensor(headName(source) + ".weight");
    return {weight.shape[0], weight.shape[1]};
}

std::shared_ptr<const ModelSource> withRoundedHead(std::shared_ptr<const ModelSource> source, int bits) {
    return std::make_shared<RoundedHead>(std::move(source), bits);
}

}  // namespace owq
