// SPDX-License-Identifier: Apache-2.0
// Private to core sources (LibTorch types). Where a run's matrices lie and what computes with them: the operations that LibTorch has
// not, for the CPU and for a GPU. Everything else is LibTorch's own operations on tensors that lie there.
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "kernels/matvec.h"
#include "kernels/range_search.h"

namespace owq {

/// Σ x xᵀ over tokens (kernels/gram_sum.h).
class GramSum {
public:
    virtual ~GramSum() = default;
    /// x fp32 [tokens, columns], contiguous.
    virtual void add(const at::Tensor& x) = 0;
    /// The whole symmetric fp32 [columns, columns], each sum times `factor`. Ends the sum.
    virtual at::Tensor finish(float factor) = 0;
};

/// kernels/column_loop.h ColumnBlock. Views of larger matrices are allowed; their rows are contiguous.
struct BlockOfColumns {
    at::Tensor w, original;  ///< fp32 [rows, columns]; original may be undefined
    at::Tensor factor;       ///< fp32 [columns, columns]
    at::Tensor pivot;        ///< fp32 [columns]
    at::Tensor scale, zero;  ///< fp32 [rows, grids]
    at::Tensor grid;         ///< int32 [columns]
    int bits = 3;
    at::Tensor error;        ///< fp32 [rows, columns] out
    at::Tensor codes;        ///< uint8 [rows, columns] out
    at::Tensor loss;         ///< float64 [columns] out
};

/// kernels/descent.h DescentBlock, likewise.
struct BlockToDescend {
    at::Tensor pull;         ///< fp32 [rows, columns]
    at::Tensor hessian;      ///< fp32 [columns, columns]
    at::Tensor scale, zero;  ///< fp32 [rows, grids]
    at::Tensor grid;         ///< int32 [columns]
    int bits = 3;
    at::Tensor codes;        ///< uint8 [rows, columns] in and out
    at::Tensor change;       ///< fp32 [rows, columns] out
};

/// A packed weight (kernels/matvec.h) where a device multiplies it.
class PackedProduct {
public:
    virtual ~PackedProduct() = default;
    virtual uint64_t bytes() const = 0;  ///< held
    /// Can so many tokens be multiplied, and faster than by dequantizing first?
    virtual bool takes(int64_t tokens, kernels::Activations activations) const = 0;
    /// x [tokens, columns] to out [tokens, rows], fp32, contiguous.
    virtual void multiply(const at::Tensor& x, kernels::Activations activations, at::Tensor out) const = 0;
    /// Rows from `begin` on to out [rows, columns], fp32, contiguous.
    virtual void dequantizeRows(int64_t begin, at::Tensor out) const = 0;
    /// The same with other weak weights [rows, weakCount], everything else shared; null where weak weights cannot be replaced.
    virtual std::unique_ptr<PackedProduct> withWeakWeight(const float* weight) const { return nullptr; }
};

struct DeviceTime {
    double seconds = 0;
    bool recorded = false;  ///< without what asking for it takes
};

/// All tensors given to a device lie in its memory. Results come in the order of the calls; on a GPU they may still be on their way
/// when a call returns, as LibTorch's own.
class Device {
public:
    virtual ~Device() = default;

    virtual at::Device place() const = 0;
    /// The CPU with its own forms of the model's products: what no machine lacks.
    virtual bool isHost() const = 0;
    virtual std::string name() const = 0;  ///< for a person
    /// What keeps it busy in one forward pass.
    virtual int64_t tokensPerPass() const = 0;
    /// Memory of its own that can be had now, bytes; 0: it has none of its own.
    virtual uint64_t freeMemoryBytes() const = 0;
    at::TensorOptions options(at::ScalarType type) const { return at::TensorOptions(type).device(place()); }

    virtual uint64_t cacheBytes() const = 0;  ///< of the last cache before the memory in which matrices lie; 0: not known

    /// Returns when all that was asked for is done.
    virtual void synchronize() const = 0;
    /// How long work() takes: the median of as many times as last `atLeast` seconds together, five or more, after one to warm up. On a
    /// GPU work() is called twice, and what it asks for is recorded and repeated as one, so that it does not count how long the
    /// CPU takes to ask; what cannot be recorded is asked for anew each time. work() makes no tensor that outlives it.
    virtual DeviceTime timeOf(const std::function<void()>& work, double atLeast, const std::stop_token& stop) const = 0;
    /// Runs work(), which reads and copies, beside what the device computes, and returns when it is done. What it made may be let go
    /// of only after a synchronize() that follows its last use: its memory then goes to the next work aside.
    virtual void runAside(const std::function<void()>& work) const = 0;

    virtual std::unique_ptr<GramSum> gramSum(int64_t columns) const = 0;
    /// kernels/range_search.h. w fp32 [rows, columns], its rows contiguous; excluded uint8 [columns] or undefined; scale, zero fp32
    /// [rows], contiguous. checkStop where that can take long.
    virtual void findGrid(const at::Tensor& w, const at::Tensor& excluded, const kernels::GridOptions& options, at::Tensor scale,
                          at::Tensor zero, const std::stop_token& stop) const = 0;
    /// scale, zero fp32 [rows]; codes uint8, values fp32 [rows, columns]; all contiguous.
    virtual void roundToGrid(const at::Tensor& w, const at::Tensor& scale, const at::Tensor& zero, int bits, at::Tensor codes,
                             at::Tensor values) const = 0;
    /// total float64 [columns] += Σ (a - b)² over rows; the differences in fp32.
    virtual void addSquaredDifferences(const at::Tensor& a, const at::Tensor& b, at::Tensor total) const = 0;
    virtual void quantizeBlock(const BlockOfColumns& block) const = 0;
    virtual void descendBlock(const BlockToDescend& block) const = 0;
    /// out += factor · left · right, all fp32 with contiguous rows.
    virtual void addProduct(at::Tensor out, const at::Tensor& left, const at::Tensor& right, float factor,
                            const std::stop_token& stop) const = 0;
    /// Null where the device has no product for such a weight: then it must be dequantized. A GPU has one for 2, 3, 4 and 8 bits, grids of
    /// rows and of groups of a multiple of 32 columns, but for the widest grids beside many weak columns where a processor has little memory of its own.
    virtual std::unique_ptr<PackedProduct> packedProduct(const kernels::PackedWeight& weight) const = 0;
};

/// What once() tells, of as many times as it takes to tell `atLeast` together, five or more: the median. checkStop before each.
double medianOf(const std::function<double()>& once, double atLeast, const std::stop_token& stop);

/// What keeps a GPU and the CPU busy in one forward pass.
constexpr int64_t kDeviceTokens = 8192, kHostTokens = 1024;

/// The CPU.
const Device& hostDevice();

}  // namespace owq
