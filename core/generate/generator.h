// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/model/arithmetic.h"
#include "core/model/model_source.h"
#include "core/pack/task_file.h"

namespace owq {

class Device;

struct SamplingOptions {
    int64_t maxTokens = 128;
    double temperature = 0;  ///< 0: greedy
    double topP = 1;         ///< smallest set of tokens whose probability reaches this; 1: all
    uint64_t seed = 0;
    bool stopAtEnd = true;  ///< at the end-of-text token; else it is a token like others
};

struct Generation {
    std::vector<int32_t> ids;  ///< without the prompt and without the end-of-text token
    double promptSeconds = 0, decodeSeconds = 0;
    int64_t decodeSteps = 0;  ///< single tokens that went through the model in decodeSeconds: the first new one comes with the prompt
    uint64_t cacheBytes = 0;  ///< of the keys and values held at the end
    std::string stopReason;  ///< "end of text", "length", "context full", "stopped by the caller"
};

/// A model held in memory for generation. Not for several threads at once.
class Generator {
public:
    /// Loads every block; polls `stop` between linears. device: what computes all but the embedding (core/device/open_device.h); null: the CPU.
    explicit Generator(std::shared_ptr<const ModelSource> source, Arithmetic arithmetic = Arithmetic::doubleInt8, std::stop_token stop = {},
                       std::shared_ptr<const Device> device = nullptr);
    ~Generator();

    /// onToken gets each new id; false ends the text. Throws Error (empty prompt, prompt longer than the
    /// context, ids out of range, impossible options) and Cancelled.
    Generation generate(std::span<const int32_t> prompt, const SamplingOptions& options = {},
                        const std::function<bool(int32_t id)>& onToken = {}, std::stop_token stop = {});

    /// Computes with the task's weak columns from now on, or with the model's own again; nothing of the model is read for it, and the packed
    /// weights stay where they are. On the CPU only. `file` names the task in errors. Error when it belongs to another packed matrix; then
    /// nothing has changed. After Cancelled some linears have other weak columns than the rest, until one of the two is called again.
    void useTask(const Task& task, const std::string& file, const std::stop_token& stop = {});
    void useOwnColumns(const std::stop_token& stop = {});

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace owq
