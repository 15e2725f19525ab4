// SPDX-License-Identifier: Apache-2.0
// Private to core sources. One transformer block, fp32.
#pragma once
#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/attention.h"
#include "core/model/config.h"
#include "core/model/family.h"
#include "core/model/linear.h"
#include "core/model/rope.h"

namespace owq {

/// Called once per input group (LinearInfo::inputGroup) and forward pass, in the order of the groups, with
/// the shared input as contiguous fp32 [windows * tokens, in]. The tensor may be kept; it is not written to
/// afterwards.
using InputObserver = std::function<void(const std::string& group, const at::Tensor& x)>;

/// Keys and values of the tokens seen so far, one per block. Grows as needed.
struct KeyValueCache {
    at::Tensor key, value;  ///< [n, keyValueHeads, capacity, headSize]
    int64_t length = 0;
    /// Keep new ones as fp16: off by 1 / 2048 at most, below 6e-5 by 3e-8. A number that fp16 does not hold (above 65504, or not finite) ends
    /// this for the block, and all go on in fp32: nothing is cut off.
    bool halves = false;
    uint64_t bytes() const { return key.defined() ? key.nbytes() + value.nbytes() : 0; }  ///< memory held
};

/// Layer norm or RMS norm over the last dimension.
struct Norm {
    NormKind kind = NormKind::rms;
    double epsilon = 1e-5;
    at::Tensor weight, bias;  ///< may be undefined
    at::Tensor forward(const at::Tensor& x) const;
};
/// A norm of the model's kind, with nothing loaded where its norms have no weights.
Norm loadNorm(const ModelSource& source, const ModelConfig& config, const std::string& name, const Device& device);

class Block {
public:
    /// Reads the weights of block `index`. Throws Error naming a tensor that holds values that are not
    /// finite, and Cancelled. Copies of a block share its weights; replacing one's leaves the other's.
    static Block load(const ModelSource& source, const ModelConfig& config, const ModelNames& names,
                      int index, std::shared_ptr<const Rope> rope, Arithmetic arithmetic = Arithmetic::dense,
                      const Device& device = hostDevice(), const std::stop_token& stop = {});

    int index() const { return index_; }
    /// hidden [n, t, H] fp32 on the block's device (not written to) to [n, t, H]. Positions start at the cache's length, or 0.
    at::Tensor forward(const at::Tensor& hidden, const InputObserver& observe = {},
                       KeyValueCache* cache = nullptr) const;
    /// forward() with grad mode on: the same values, and gradients reach hidden, where it requires one, and the weak columns that
    /// Linear::trackWeakColumns was called for. On the host only.
    at::Tensor differentiable(const at::Tensor& hidden, const InputObserver& observe = {}) const;
    /// Only calls the observer, and ends once `lastGroup` (empty: the block's last) has been observed: the
    /// products behind it are saved.
    void observe(const at::Tensor& hidden, const InputObserver& observe,
                 const std::string& lastGroup = {}) const;

    /// Names and groups in the order of the family table.
    const std::vector<LinearInfo>& linears() const { return infos_; }
    /// By full name; Error when it is not of this block.
    Linear& linear(const std::string& name);
    const Linear& linear(const std::string& name) const;
    /// Hands a quantized weight over: dequantized floats [rows, columns], copied.
    void setWeight(const std::string& name, const float* weight) { linear(name).setWeight(weight); }
    void setWeight(const std::string& name, const QuantizedLinear& weight) { linear(name).setWeight(weight); }

private:
    struct Pass;                               ///< one forward pass: observer, cache, where to end
    size_t find(std::string_view kind) const;  ///< infos_.size() when the block has none of that kind
    struct Heads;                              ///< q, k and v of a pass
    Heads heads(const at::Tensor& x) const;
    at::Tensor attention(const at::Tensor& x, Pass& pass) const;
    at::Tensor feedForward(const at::Tensor& x, Pass& pass) const;
    at::Tensor run(const at::Tensor& hidden, Pass& pass) const;

    ModelConfig config_;
    int index_ = 0;
    std::shared_ptr<const Rope> rope_;
    AttentionRule rule_;
    Norm attentionNorm_, feedForwardNorm_, queryNorm_, keyNorm_;
    std::vector<LinearInfo> infos_;
    std::vector<Linear> linears_;  ///< as infos_
};

}  // namespace owq
