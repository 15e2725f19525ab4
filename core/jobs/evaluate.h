// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/device/open_device.h"
#include "core/evaluate/divergence.h"
#include "core/evaluate/layer_errors.h"

namespace owq {

struct EvaluateOptions {
    std::filesystem::path model, modelFolder;  ///< modelFolder: config and tokenizer for a lone .pth
    std::filesystem::path text, tokens;        ///< one of the two
    std::string protocol = "plain";            ///< wikitext2, ptb, c4, plain; ignored for tokens
    std::filesystem::path task;                ///< weak columns to compute the model with, empty: its own
    int64_t sequenceLength = 0;                ///< 0: the smaller of the model's maximum and 2048
    int64_t maxWindows = 0;                    ///< 0: all
    Arithmetic arithmetic = Arithmetic::dense;  ///< of the model; the original is always computed dense
    DeviceKind device = DeviceKind::cpu;        ///< what computes
    /// The original to measure the divergence from, empty: none. againstFolder as modelFolder. The tokenizer is the model's.
    std::filesystem::path against, againstFolder;
    /// Log-probabilities of the original: written where there is no such file, taken instead of computing the original where there is one
    /// (which needs no `against` then). Empty: none.
    std::filesystem::path base;
    bool layers = false;  ///< with an original: also the error of each linear's output and of each block's
};

struct EvaluateResult {
    double perplexity = 0;   ///< exp of the mean over windows of the mean token loss
    double nll = 0;          ///< sum over the scored tokens, natural logarithm
    int64_t tokens = 0;      ///< scored: windows * (sequenceLength - 1)
    int64_t windows = 0, sequenceLength = 0;
    std::string protocol, arithmetic, model, text, task;
    std::string device = "CPU";     ///< what computed, for a person
    std::vector<double> windowNll;  ///< mean token loss of each window
    std::string against, base;      ///< paths of the original and of its log-probabilities, empty without
    std::optional<DivergenceResult> divergence;
    std::vector<LayerError> layers;  ///< in the order of a pass
    std::vector<std::string> warnings;
    double seconds = 0;
    uint64_t peakMemoryBytes = 0;
};

EvaluateResult evaluate(const EvaluateOptions& options, Progress& progress, std::stop_token stop);
Json toJson(const EvaluateResult& result);
Json toJson(const WindowMean& mean);

}  // namespace owq
