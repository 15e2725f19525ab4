// SPDX-License-Identifier: Apache-2.0
// Private to core sources. An original's predictions of some windows in a file, so that many models are held against it and it is
// computed once. safetensors, in this order:
//   distance         f16 [windows, length - 1, vocabulary]  log-probability of each token minus that of the likeliest
//   log_probability  f32 [windows, length - 1]              of the likeliest token
//   input_ids        i32 [windows, length]                  what was predicted
// and metadata "format": "owq-base-1", "original": its path, "original_state": its fileState. Half precision of the distance loses nothing near the likeliest token and
// little (2^-12 of the distance) far from it.
#pragma once
#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/checkpoint/tensor_file.h"
#include "core/text/corpus.h"

namespace owq {

class BaseFileWriter {
public:
    /// Throws Error when the disk has not the space.
    BaseFileWriter(const std::filesystem::path& file, const TokenWindows& windows, int64_t vocabulary, const std::string& original,
                   const std::string& state);
    /// The next rows: logits fp32 [rows, vocabulary] on the CPU, contiguous.
    void add(const at::Tensor& logits);
    void commit();

private:
    const TokenWindows& windows_;
    SafetensorsWriter writer_;
    std::vector<float> tops_;
};

class BaseFile {
public:
    /// Throws Error when it is none, or is of other windows or another vocabulary.
    BaseFile(const std::filesystem::path& file, const TokenWindows& windows, int64_t vocabulary);
    /// Log-probabilities fp32 [count, vocabulary] at positions first … of a window.
    at::Tensor logProbabilities(int64_t window, int64_t first, int64_t count) const;
    const std::string& original() const { return original_; }
    const std::string& state() const { return state_; }

private:
    std::shared_ptr<const TensorFile> file_;
    Tensor distance_, top_;
    int64_t scored_ = 0, vocabulary_ = 0;
    std::string original_, state_;
};

}  // namespace owq
