// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/model/arithmetic.h"

namespace owq {

struct BenchOptions {
    std::filesystem::path model, modelFolder;  ///< modelFolder: config for a lone .pth
    std::string synthetic;                     ///< in place of a model: the shapes of "llama-7b", "opt-66b" or "llama-70b"
    std::vector<int> bits{3, 4};               ///< of shapes that are not quantized: each of these, with the weak columns of 0.01 bits more
    std::vector<int64_t> batches{1};           ///< tokens multiplied at once
    Arithmetic arithmetic = Arithmetic::doubleInt8;  ///< not dense
    int64_t promptTokens = 0, newTokens = 64;        ///< of the whole model; prompt 0: 512, or what fits its positions; 0 new tokens: only its layers
    int headBits = 16;  ///< the head is rounded to these when it is loaded; 16: stays as stored
    int64_t workingSet = 0;  ///< bytes of weights that are read in turn; 0: twice what the caches hold
    double seconds = 0.4;    ///< of one measurement, at least
    std::filesystem::path csv;                       ///< the layers as a table; empty: none
};

/// All linears of one shape and width, multiplied with weights from memory.
struct BenchLayer {
    int64_t rows = 0, columns = 0;
    int bits = 3;
    int64_t weakColumns = 0, groupSize = 0;
    int64_t count = 0;  ///< in the model
    int64_t batch = 1;
    double seconds = 0, withoutWeakSeconds = 0, halfSeconds = 0, floatSeconds = 0;  ///< of one; the others: no weak columns, fp16, fp32
    uint64_t bytes = 0;                                                           ///< of one
    double bytesPerSecond() const { return double(bytes) / seconds; }
};

/// All packed linears of a width and batch together.
struct BenchTotal {
    int bits = 0;  ///< 0: of several widths
    int64_t batch = 1;
    double tokensPerSecond = 0, halfTokensPerSecond = 0, floatTokensPerSecond = 0;
};

/// The output head, which no total counts.
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
    int threads = 1;
    double readRate = 0;  ///< bytes a second
    std::vector<BenchLayer> layers;
    std::vector<BenchTotal> totals;
    std::optional<BenchHead> head;  ///< of a model; the synthetic ones have none
    std::optional<BenchModelTimes> whole;
    bool quantized = false;  ///< else the layers are those that the model would have
};

/// Throws Error for options that cannot be, a shape that cannot be packed, or a model that cannot be opened; and Cancelled.
BenchResult bench(const BenchOptions& options, Progress& progress, std::stop_token stop);
Json toJson(const BenchResult& result);

}  // namespace owq
