// SPDX-License-Identifier: Apache-2.0
#include "core/evaluate/base_file.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/half.h"
#include "kernels/thread_pool.h"

namespace owq {
namespace {

constexpr const char* kFormat = "owq-base-1";

std::vector<TensorLayout> layoutOf(const TokenWindows& windows, int64_t vocabulary) {
    const int64_t count = windows.count(), scored = windows.length - 1;
    return {{"distance", DType::f16, {count, scored, vocabulary}},
            {"log_probability", DType::f32, {count, scored}},
            {"input_ids", DType::i32, {count, windows.length}}};
}

}  // namespace

BaseFileWriter::BaseFileWriter(const std::filesystem::path& file, const TokenWindows& windows, int64_t vocabulary, const std::string& original,
                               const std::string& state)
    : windows_(windows),
      writer_(file, layoutOf(windows, vocabulary), {{"format", kFormat}, {"original", original}, {"original_state", state}}) {}

void BaseFileWriter::add(const at::Tensor& logits) {
    const int64_t rows = logits.size(0), vocabulary = logits.size(1);
    std::vector<uint16_t> distances(size_t(rows * vocabulary));
    const size_t before = tops_.size();
    tops_.resize(before + size_t(rows));
    const float* const all = logits.const_data_ptr<float>();
    kernels::parallelFor(rows, 1, [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) {
            const float* const x = all + r * vocabulary;
            const float top = *std::max_element(x, x + vocabulary);
            double sum = 0;
            for (int64_t i = 0; i < vocabulary; ++i) {
                const float distance = x[i] - top;
                distances[size_t(r * vocabulary + i)] = floatToHalf(distance);
                sum += std::exp(double(distance));
            }
            tops_[before + size_t(r)] = float(-std::log(sum));
        }
    });
    writer_.write(distances.data(), distances.size() * sizeof(uint16_t));
}

void BaseFileWriter::commit() {
    writer_.write(tops_.data(), tops_.size() * sizeof(float));
    writer_.write(windows_.window(0), size_t(windows_.count() * windows_.length) * sizeof(int32_t));
    writer_.commit();
}

BaseFile::BaseFile(const std::filesystem::path& file, const TokenWindows& windows, int64_t vocabulary)
    : file_(openSafetensors(file)), scored_(windows.length - 1), vocabulary_(vocabulary) {
    const std::string where = file.string();
    bool known = false;
    for (const auto& [key, value] : file_->metadata()) {
        known |= key == "format" && value == kFormat;
        if (key == "original") original_ = value;
        if (key == "original_state") state_ = value;
    }
    if (!known)
        throw Error("is no file of an original's log-probabilities", where, "Give the name of a new file, and the original with --against, to write one");
    for (const TensorLayout& wanted : layoutOf(windows, vocabulary)) {
        const TensorInfo* const found = file_->find(wanted.name);
        if (!found || found->dtype != wanted.dtype || found->shape != wanted.shape)
            throw Error("holds " + wanted.name + (found ? " " + shapeText(found->shape) : " in no form that is known") + ", the comparison needs " +
                            shapeText(wanted.shape),
                        where, "Choose the text, sequence length and number of windows that it was written with, or a new file");
    }
    const Tensor ids = file_->read("input_ids");
    if (std::memcmp(ids.data, windows.window(0), ids.bytes()) != 0)
        throw Error("was written for other tokens", where, "Choose the text that it was written with, or a new file");
    distance_ = file_->read("distance");
    top_ = file_->read("log_probability");
}

at::Tensor BaseFile::logProbabilities(int64_t window, int64_t first, int64_t count) const {
    const at::Tensor out = at::empty({count, vocabulary_}, at::TensorOptions(at::kFloat));
    const int64_t begin = window * scored_ + first;
    const std::byte* const from = distance_.data + size_t(begin * vocabulary_) * sizeof(uint16_t);
    const auto* const half = reinterpret_cast<const uint16_t*>(from);
    const auto* const tops = reinterpret_cast<const float*>(top_.data) + begin;
    float* const to = out.data_ptr<float>();
    kernels::parallelFor(count, 1, [&](int64_t firstRow, int64_t end) {
        for (int64_t r = firstRow; r < end; ++r)
            for (int64_t i = 0; i < vocabulary_; ++i) to[r * vocabulary_ + i] = halfToFloat(half[r * vocabulary_ + i]) + tops[r];
    });
    releasePages(from, size_t(count * vocabulary_) * sizeof(uint16_t));
    return out;
}

}  // namespace owq
