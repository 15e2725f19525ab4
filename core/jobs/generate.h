// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <functional>
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
    std::string stopReason;  ///< "end of text", "length", "context full"
    Arithmetic arithmetic = Arithmetic::doubleInt8;  ///< as asked for
    std::string device = "CPU";                      ///< what computed, for a person
};

GenerateResult generate(const GenerateOptions& options, Progress& progress, std::stop_token stop);
Json toJson(const GenerateResult& result);

}  // namespace owq
