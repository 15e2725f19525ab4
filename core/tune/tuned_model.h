// SPDX-License-Identifier: Apache-2.0
// Private to core sources. A packed model in memory whose weak columns change.
#pragma once
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/model/language_model.h"
#include "core/pack/task_file.h"
#include "core/tune/tuning_data.h"

namespace owq {

/// The weak columns of one linear among all parameters.
struct WeakMatrix {
    std::string name;
    int block = 0;
    std::string inputGroup;   ///< as LinearInfo
    int64_t rows = 0;
    std::vector<int32_t> columns;
    DType type = DType::f16;  ///< of the stored weights
    std::string frozen;       ///< frozenHash
    int64_t first = 0;        ///< of its [rows, columns.size()] among the parameters

    int64_t count() const { return rows * int64_t(columns.size()); }
};

/// Sum over scored tokens, nats.
struct TuningLoss {
    double nll = 0;
    int64_t tokens = 0;

    double mean() const { return tokens ? nll / double(tokens) : 0; }
};

struct TunedModelOptions {
    at::ScalarType kept = at::kFloat;  ///< in what the inputs of blocks wait for the backward pass, kFloat or kBFloat16
    // To check against:
    at::ScalarType compute = at::kFloat;  ///< or kDouble
    Arithmetic arithmetic = Arithmetic::exact;  ///< or dense
};

/// The last block's output [rows * length, H] to the losses of what the batch scores, and, where `gradient` is given, to their gradient
/// times `scale`. kLogits logits are there at once, or 16 rows. Error when the loss is not finite.
TuningLoss headLoss(const LanguageModel& model, const at::Tensor& hidden, const TuningBatch& batch, double scale, at::Tensor* gradient,
                    const std::stop_token& stop = {});

class TunedModel {
public:
    /// Loads every block. Error when nothing has weak columns, and for models that are not quantized; Cancelled.
    explicit TunedModel(std::shared_ptr<const ModelSource> source, const std::stop_token& stop = {}, const TunedModelOptions& options = {});

    const LanguageModel& model() const { return model_; }
    const std::vector<WeakMatrix>& matrices() const { return matrices_; }
    int64_t parameters() const { return parameters_; }
    int64_t columns() const;  ///< of all matrices
    /// As the model came, [parameters()].
    const std::vector<float>& original() const { return original_; }
    /// Rounds each to the type it is stored in; what the model then computes with is in `weights`.
    void setWeights(std::span<const float> weights);
    const std::vector<float>& weights() const { return weights_; }
    /// The weights as a file.
    Task task(Metadata about) const;

    /// The loss of generation and evaluation: Block::forward without gradients.
    TuningLoss loss(const TuningBatch& batch, const std::stop_token& stop = {}) const;
    /// Adds scale * d(nll)/d(weights) to `gradient` [parameters()]. Blocks keep only their inputs from the forward pass and are computed
    /// again, one at a time, with gradients. Error when the loss is not finite.
    TuningLoss lossAndGradient(const TuningBatch& batch, double scale, std::span<float> gradient, const std::stop_token& stop = {});

    /// Root mean square of the input that each weak column is multiplied by, over all tokens of `batches`: in the order of the matrices,
    /// and of the columns in each.
    std::vector<float> inputSizes(const std::vector<TuningBatch>& batches, const std::stop_token& stop = {}) const;

    uint64_t packedBytes() const;  ///< of the blocks' weights in memory

    static constexpr int64_t kLogits = int64_t(1) << 22;  ///< made at once, or 16 rows
    static int64_t rowsAtOnce(int64_t vocabulary) { return std::max<int64_t>(16, kLogits / vocabulary); }

private:
    at::Tensor embed(const TuningBatch& batch) const;

    LanguageModel model_;
    TunedModelOptions options_;
    std::vector<Block> blocks_;
    std::vector<WeakMatrix> matrices_;
    std::vector<at::Tensor> leaves_;  ///< as matrices_
    int64_t parameters_ = 0;
    int firstTuned_ = 0;  ///< block
    std::vector<float> original_, weights_;
};

}  // namespace owq
