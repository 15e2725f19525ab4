// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/device/open_device.h"
#include "core/model/arithmetic.h"

namespace owq {

struct GenerateOptions {
    std::filesystem::path model, modelFolder;
    std::filesystem::path task;  ///< weak columns to compute with, empty: the model's own
    std::string prompt;
    int64_t maxTokens = 128;
    double temperature = 0;  ///< 0: greedy
    double topP = 1;         ///< nucleus
    uint64_t seed = 0;
    Arithmetic arithmetic = Arithmetic::doubleInt8;
    DeviceKind device = DeviceKind::cpu;                  ///< what computes
    std::function<void(const std::string& text)> onText;  ///< whole UTF-8 characters as they come, in the job's thread
};

struct GenerateResult {
    std::string text;        ///< without the prompt
    std::vector<int32_t> ids;
    int64_t promptTokens = 0;
    double promptSeconds = 0, decodeSeconds = 0;
    int64_t decodeSteps = 0;  ///< single tokens that went through the model in decodeSeconds
    double decodeRate() const { return decodeSeconds > 0 ? double(decodeSteps) / decodeSeconds : 0; }  ///< tokens per second
    uint64_t cacheBytes = 0;  ///< memory of the keys and values of the text
    std::string stopReason;  ///< "end of text", "length", "context full"
    Arithmetic arithmetic = Arithmetic::doubleInt8;  ///< as asked for
    std::string device = "CPU";                      ///< what computed, for a person
};

GenerateResult generate(const GenerateOptions& options, Progress& progress, std::stop_token stop);

/// Keeps the models that it generated with last, so that the next prompt finds them loaded. Another task on the CPU, or its file written anew, changes the
/// weak columns of what is held; everything else loads anew: another model, arithmetic or device, or files that were written meanwhile. Not for several
/// threads at once.
class GenerateSession {
public:
    GenerateSession();
    ~GenerateSession();
    /// As generate().
    GenerateResult generate(const GenerateOptions& options, Progress& progress, std::stop_token stop);
    void close();                       ///< lets go of all models
    int loads() const { return loads_; }  ///< models loaded so far

private:
    struct Held;
    Held& hold(const GenerateOptions& options, std::stop_token stop);
    std::vector<std::unique_ptr<Held>> held_;  ///< two at most, the one used last at the end
    int loads_ = 0;
};

Json toJson(const GenerateResult& result);

}  // namespace owq
