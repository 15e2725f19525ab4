// SPDX-License-Identifier: Apache-2.0
#include "core/model/linear.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/index_copy.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/progress.h"
#include "core/model/family.h"
#include "core/model/gradient.h"
#include "core/model/torch_tensor.h"
#include "core/pack/packed_linear.h"
#include "kernels/dense_matrix.h"
#include "kernels/stored_matrix.h"

namespace owq {
namespace {

constexpr int64_t kFewTokens = 16;  // up to here products of stored weights are faster than widening these
constexpr int64_t kTileFloats = int64_t(1) << 20, kPlacedTileFloats = int64_t(1) << 25;  // of widened rows held at once

bool packable(const QuantizedLinear& q) { return isPackedWidth(q.bits) && q.groupSize % kernels::kPackedGroup == 0; }

std::shared_ptr<const PackedProduct> packed(const QuantizedLinear& q, const Device& device) {
    return device.packedProduct({.codes = q.codes.data(), .rows = q.rows, .columns = q.columns, .bits = q.bits, .groupSize = q.groupSize,
                                 .scale = q.scale.data(), .zero = q.zero.data(), .weakColumns = q.weakColumns.data(),
                                 .weakWeight = q.weakWeight.data(), .weakCount = int64_t(q.weakColumns.size())});
}

std::shared_ptr<const kernels::StoredMatrix> stored(const at::Tensor& weight) {
    const auto type = weight.scalar_type() == at::kHalf       ? kernels::StoredType::f16
                      : weight.scalar_type() == at::kBFloat16 ? kernels::StoredType::bf16
                                                              : kernels::StoredType::f32;
    return std::make_shared<const kernels::StoredMatrix>(weight.const_data_ptr(), type, weight.size(0), weight.size(1));
}

kernels::Activations activationsOf(Arithmetic arithmetic) {
    return arithmetic == Arithmetic::doubleInt8 ? kernels::Activations::doubleInt8
           : arithmetic == Arithmetic::int8     ? kernels::Activations::int8
                                                : kernels::Activations::exact;
}

}  // namespace

Linear::Linear(const at::Tensor& weight, at::Tensor bias)
    : rows_(weight.size(0)), columns_(weight.size(1)), bias_(std::move(bias)) {
    setWeight(weight.contiguous().const_data_ptr<float>());
}

Linear Linear::load(const ModelSource& source, const std::string& name, Arithmetic arithmetic, const Device& device) {
    Linear out;
    if (!device.isHost()) out.place_ = device.place();
    // The authors' packed files hold a bias of zeros where the model has none.
    const LinearInfo* info = source.info().find(name);
    if (info && info->bias) out.bias_ = loadFloat(source, name + ".bias", device.place());
    if (!source.quantized(name)) {
        const bool transposed = info && familyOf(source.config(), name).storedTransposed;
        if (arithmetic != Arithmetic::dense && device.isHost() && !transposed) {
            const at::Tensor weight = loadStored(source, name + ".weight");
            out.rows_ = weight.size(0);
            out.columns_ = weight.size(1);
            out.stored_ = stored(weight);
            releasePages(weight.const_data_ptr(), weight.nbytes());
            return out;
        }
        at::Tensor weight = loadFloat(source, name + ".weight", device.place());
        if (transposed) weight = weight.t().contiguous();
        if (device.isHost()) return Linear(weight, out.bias_);
        out.rows_ = weight.size(0);
        out.columns_ = weight.size(1);
        out.placed_ = weight;
        return out;
    }
    const QuantizedLinear quantized = source.linear(name);
    out.rows_ = quantized.rows;
    out.columns_ = quantized.columns;
    if (arithmetic != Arithmetic::dense && packable(quantized)) out.packed_ = packed(quantized, device);
    if (out.packed_)
        out.arithmetic_ = arithmetic;
    else
        out.setWeight(quantized);
    out.weakColumns_ = quantized.weakColumns;
    return out;
}

at::Tensor Linear::forward(const at::Tensor& x) const {
    if (placed_.defined()) return at::linear(x, placed_, bias_.defined() ? std::optional<at::Tensor>(bias_) : std::nullopt);
    const at::Tensor in = x.detach().reshape({-1, columns_}).contiguous();
    std::vector<int64_t> shape = x.sizes().vec();
    shape.back() = rows_;
    at::Tensor out = at::empty(shape, x.options());
    {
        const at::NoGradGuard guard;
        multiply(in, out.view({-1, rows_}));
    }
    if (!tracked(x) && !tracked(trackedWeak_)) return out;
    checkStop(stop_);
    const at::Tensor weak = trackedWeak_.defined() ? in.index_select(1, weakIndices()) : at::Tensor{};
    return withBackward(out, {x, trackedWeak_}, [self = *this, weak](const at::Tensor& gradient, const std::vector<bool>& wanted) {
        checkStop(self.stop_);
        std::vector<at::Tensor> found(2);
        if (wanted[0]) found[0] = self.inputGradient(gradient);
        if (wanted[1]) found[1] = at::mm(gradient.reshape({-1, self.rows_}).t(), weak);
        return found;
    });
}

void Linear::multiply(const at::Tensor& x, at::Tensor out) const {
    const bool own = fitsKernels(x);
    if (own && dense_) {
        dense_->multiply(x.const_data_ptr<float>(), x.size(0), bias_.defined() ? bias_.const_data_ptr<float>() : nullptr, out.data_ptr<float>());
        return;
    }
    if (packed_ && x.scalar_type() == at::kFloat && packed_->takes(x.size(0), activationsOf(arithmetic_)))
        packed_->multiply(x, activationsOf(arithmetic_), out);
    else if (own && stored_ && x.size(0) <= kFewTokens)
        stored_->multiply(x.const_data_ptr<float>(), x.size(0), out.data_ptr<float>());
    else
        eachTile(x.scalar_type(), [&](int64_t begin, const at::Tensor& rows) {
            at::Tensor part = out.narrow(1, begin, rows.size(0));
            at::mm_out(part, x, rows.t());
        });
    if (bias_.defined()) out.add_(bias_);
}

at::Tensor Linear::inputGradient(const at::Tensor& gradient) const {
    const at::NoGradGuard guard;
    const at::Tensor dy = gradient.reshape({-1, rows_});
    std::vector<int64_t> shape = gradient.sizes().vec();
    shape.back() = columns_;
    if (placed_.defined()) return at::mm(dy, placed_).view(shape);
    at::Tensor dx = at::zeros({dy.size(0), columns_}, dy.options());
    eachTile(dy.scalar_type(), [&](int64_t begin, const at::Tensor& rows) { dx.addmm_(dy.narrow(1, begin, rows.size(0)), rows); });
    return dx.view(shape);
}

template <class Visit>
void Linear::eachTile(at::ScalarType type, const Visit& visit) const {
    if (dense_) return visit(0, weight().to(type));
    const int64_t tile = std::clamp<int64_t>((isPlaced() ? kPlacedTileFloats : kTileFloats) / columns_, 8, std::max<int64_t>(8, rows_));
    const at::Tensor rows = at::empty({std::min(tile, rows_), columns_}, at::TensorOptions(at::kFloat).device(place_.value_or(at::kCPU)));
    for (int64_t begin = 0; begin < rows_; begin += tile) {
        const int64_t count = std::min(tile, rows_ - begin);
        const at::Tensor some = rows.narrow(0, 0, count);
        fillRows(begin, some);
        visit(begin, some.to(type));
    }
}

at::Tensor Linear::weakIndices() const {
    return at::from_blob(const_cast<int32_t*>(weakColumns_.data()), {int64_t(weakColumns_.size())}, at::kInt).to(at::kLong);
}

void Linear::setWeakWeight(const float* values) {
    if (weakColumns_.empty()) return;
    if (isPlaced()) throw Error("weak columns are only changed on the CPU");
    if (packed_) {
        packed_ = packed_->withWeakWeight(values);
        return;
    }
    at::Tensor all = weight();
    all.index_copy_(1, weakIndices(), at::from_blob(const_cast<float*>(values), {rows_, int64_t(weakColumns_.size())}, at::kFloat));
    dense_ = std::make_shared<const kernels::DenseMatrix>(all.const_data_ptr<float>(), rows_, columns_);
}

void Linear::trackWeakColumns(at::Tensor weight, std::stop_token stop) {
    trackedWeak_ = std::move(weight);
    stop_ = std::move(stop);
}

uint64_t Linear::bytes() const {
    if (packed_) return packed_->bytes();
    if (stored_) return stored_->bytes();
    return uint64_t(rows_) * uint64_t(columns_) * sizeof(float);
}

void Linear::fillRows(int64_t begin, at::Tensor out) const {
    if (packed_)
        packed_->dequantizeRows(begin, out);
    else
        stored_->widenRows(begin, begin + out.size(0), out.data_ptr<float>());
}

at::Tensor Linear::weight() const {
    if (placed_.defined()) return placed_;
    at::Tensor weight = at::empty({rows_, columns_}, at::TensorOptions(at::kFloat).device(place_.value_or(at::kCPU)));
    if (dense_)
        dense_->copyTo(weight.data_ptr<float>());
    else
        fillRows(0, weight);
    return weight;
}

void Linear::setWeight(const float* weight) {
    dense_ = std::make_shared<const kernels::DenseMatrix>(weight, rows_, columns_);
    packed_.reset();
    stored_.reset();
    weakColumns_.clear();
}

void Linear::setWeight(const QuantizedLinear& q) {
    if (!isPlaced()) return setWeight(dequantize(q).data());
    const auto there = [this](const auto& values, at::IntArrayRef shape, at::ScalarType type) {
        return at::from_blob(const_cast<void*>(static_cast<const void*>(values.data())), shape, type).to(*place_);
    };
    const int64_t weak = int64_t(q.weakColumns.size());
    at::Tensor scale = there(q.scale, {rows_, q.groups()}, at::kFloat), zero = there(q.zero, {rows_, q.groups()}, at::kFloat);
    if (q.groupSize) {
        const std::vector<int32_t> gridOf = gridOfColumns(q);
        const at::Tensor grid = there(gridOf, {columns_}, at::kInt);
        scale = scale.index_select(1, grid);
        zero = zero.index_select(1, grid);
    }
    at::Tensor weight = there(q.codes, {rows_, columns_}, at::kByte).to(at::kFloat).sub_(zero).mul_(scale);
    if (weak) weight.index_copy_(1, there(q.weakColumns, {weak}, at::kInt).to(at::kLong), there(q.weakWeight, {rows_, weak}, at::kFloat));
    placed_ = weight;
    packed_.reset();
}

}  // namespace owq
