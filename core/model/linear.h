// SPDX-License-Identifier: Apache-2.0
// Private to core sources.
#pragma once
#include <ATen/core/Tensor.h>

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/device/device.h"
#include "core/model/arithmetic.h"
#include "core/model/model_source.h"

namespace owq {

namespace kernels {
class DenseMatrix;
class StoredMatrix;
}  // namespace kernels

/// y = x Wᵀ + b of fp32 x: on the CPU by our own kernels, on a GPU by our own for packed weights and LibTorch's for dense ones. fp64 x is
/// multiplied in fp64 on the CPU, to check gradients against.
class Linear {
public:
    Linear() = default;
    Linear(const at::Tensor& weight, at::Tensor bias);
    /// `name` as in LinearInfo.
    static Linear load(const ModelSource& source, const std::string& name,
                       Arithmetic arithmetic = Arithmetic::dense, const Device& device = hostDevice());

    int64_t rows() const { return rows_; }
    int64_t columns() const { return columns_; }
    /// x [..., columns] to [..., rows]. With grad mode on (and on the host), gradients reach x and the tracked weak columns: dX = dY W,
    /// dO = dYᵀ X_weak; of x only the weak columns are kept for it.
    at::Tensor forward(const at::Tensor& x) const;
    /// dY [..., rows] to dX [..., columns].
    at::Tensor inputGradient(const at::Tensor& gradient) const;
    /// Columns kept in 16 bit, ascending; none where the weight is not that of a quantized model.
    const std::vector<int32_t>& weakColumns() const { return weakColumns_; }
    /// Replaces the weights of the weak columns, [rows, k]; copies of this linear keep theirs. On the host only.
    void setWeakWeight(const float* weight);
    /// From now on their gradient reaches `weight` [rows, k], which only stands for them: its values are not read. Products with
    /// gradients poll `stop`.
    void trackWeakColumns(at::Tensor weight, std::stop_token stop = {});
    uint64_t bytes() const;  ///< memory of the weight
    /// [rows, columns], contiguous, not to be written to. On the CPU made anew at every call.
    at::Tensor weight() const;
    const at::Tensor& bias() const { return bias_; }  ///< undefined when there is none
    /// Replaces the weight by a dense one [rows, columns]; the floats are copied.
    void setWeight(const float* weight);
    /// Replaces it by the dequantized one, on the device where this linear lies.
    void setWeight(const QuantizedLinear& quantized);
    bool isPlaced() const { return place_.has_value(); }  ///< on a device that is not the host
    bool isPacked() const { return packed_ != nullptr; }

private:
    void multiply(const at::Tensor& x, at::Tensor out) const;  ///< x [tokens, columns] to out [tokens, rows], both contiguous
    /// Calls visit(first row, rows [count, columns] of W in `type`) until all have come, widened some rows at a time.
    template <class Visit>
    void eachTile(at::ScalarType type, const Visit& visit) const;
    at::Tensor weakIndices() const;  ///< int64 [k]
    void fillRows(int64_t begin, at::Tensor out) const;  ///< of the weight, packed or stored, from `begin` on

    int64_t rows_ = 0, columns_ = 0;
    Arithmetic arithmetic_ = Arithmetic::dense;
    std::vector<int32_t> weakColumns_;
    at::Tensor trackedWeak_;
    std::stop_token stop_;
    at::Tensor bias_;
    std::optional<at::Device> place_;                    ///< of a device that is not the host
    at::Tensor placed_;                                  ///< [rows, columns] there, or
    std::shared_ptr<const kernels::DenseMatrix> dense_;  ///< or
    std::shared_ptr<const PackedProduct> packed_;        ///< or
    std::shared_ptr<const kernels::StoredMatrix> stored_;
};

}  // namespace owq
