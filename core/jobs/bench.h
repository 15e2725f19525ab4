// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/device/open_device.h"
#include "core/model/arithmetic.h"

namespace owq {

struct BenchOptions {
    std::filesystem::path model, modelFolder;  ///< modelFolder: config for a lone .pth
    std::string synthetic;                     ///< in place of a model: the shapes of "llama-7b", "opt-66b" or "llama-70b"
    std::vector<int> bits{3, 4};               ///< of shapes that are not quantized: each of these, with the weak columns of 0.01 bits more
    int64_t groupSize = 0;                     ///< of the same shapes: columns that share a grid; 0: one grid a row
    std::vector<int64_t> batches{1};           ///< tokens multiplied at once
    Arithmetic arithmetic = Arithmetic::doubleInt8;  ///< not dense
    int64_t promptTokens = 0, newTokens = 64;        ///< of the whole model; prompt 0: 512, or what fits its positions; 0 new tokens: only its layers
    int headBits = 16;  ///< the head is rounded to these when it is loaded; 16: stays as stored
    DeviceKind device = DeviceKind::cpu;  ///< what computes
    int64_t workingSet = 0;  ///< bytes of weights that are read in turn; 0: at least twice what the caches hold
    double seconds = 0.4;    ///< of one measurement, at least
    std::filesystem::path csv;                       ///< the layers as a table; empty: none
};

/// All linears of one shape and width, multiplied with weights from memory.
struct BenchLayer {
    int64_t rows = 0, columns = 0;
    int bits = 3;
    int64_t weakColumns = 0, groupSize = 0;
    int64_t count = 0;  ///< in the model; 0: a merged one, which no total counts
    int64_t batch = 1;
    /// Of one; the others: no weak columns, fp16, fp32. On the CPU inputs and outputs are fp32, on a GPU those of fp16 are fp16.
    double seconds = 0, withoutWeakSeconds = 0, halfSeconds = 0, floatSeconds = 0;
    uint64_t bytes = 0;  ///< of one
    std::string merged;  ///< linears of one input that are multiplied as one: "q+k+v" or "gate+up"
    double bytesPerSecond() const { return double(bytes) / seconds; }
};

/// All packed linears of a width and batch together.
struct BenchTotal {
    int bits = 0;  ///< 0: of several widths
    int64_t batch = 1;
    double tokensPerSecond = 0, halfTokensPerSecond = 0, floatTokensPerSecond = 0;
};

/// The output head, which no total counts. As a GPU holds it: one of 16 bits becomes fp32 there.
struct BenchHead {
    int64_t rows = 0, columns = 0;
    int bits = 16;
    double seconds = 0;  ///< of one token
    uint64_t bytes = 0;
};

struct BenchModelTimes {
    int64_t promptTokens = 0, newTokens = 0;
    double promptSeconds = 0, decodeSeconds = 0;
};

struct BenchResult {
    std::string model, arithmetic;
    DeviceKind device = DeviceKind::cpu;
    std::string deviceName;  ///< for a person
    bool recorded = false;   ///< products were replayed on a GPU, so that no time holds what launching takes the CPU
    int threads = 1;
    double readRate = 0;  ///< bytes a second that are read at most; on a GPU read and written by a copy
    std::vector<BenchLayer> layers;
    std::vector<BenchTotal> totals;
    std::optional<BenchHead> head;  ///< of a model; the synthetic ones have none
    std::optional<BenchModelTimes> whole;
    bool quantized = false;  ///< else the layers are those that the model would have
};

/// What bench() would time, one token of each shape, without times. Throws as it does, but needs no device.
std::vector<BenchLayer> benchLayers(const BenchOptions& options, std::stop_token stop);
/// Throws Error for options that cannot be, a shape that cannot be packed, a model that cannot be opened, or a device that is not there;
/// and Cancelled.
BenchResult bench(const BenchOptions& options, Progress& progress, std::stop_token stop);
/// On a device that is open already; null: the CPU.
BenchResult benchOn(std::shared_ptr<const Device> device, const BenchOptions& options, Progress& progress, std::stop_token stop);
Json toJson(const BenchResult& result);

}  // namespace owq
