// SPDX-License-Identifier: Apache-2.0
// Writing tensors that are made one at a time: the shapes are known first, the bytes come later, nothing
// piles up in memory.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/base/tensor.h"
#include "core/checkpoint/tensor_file.h"

namespace owq {

struct TensorPlan {
    std::string name;
    DType dtype = DType::f32;
    std::vector<int64_t> shape;

    uint64_t bytes() const;
};

/// One safetensors file. Tensors must come in the order of the plan and as planned; commit() puts the file in
/// place.
class TensorStream {
public:
    TensorStream(const std::filesystem::path& file, std::vector<TensorPlan> plan, const Metadata& metadata);
    void write(const std::string& name, const Tensor& tensor);
    void commit();

private:
    AtomicFile file_;
    std::vector<TensorPlan> plan_;
    size_t next_ = 0;
};

/// `model.safetensors` in a folder, or shards of at most `shardBytes` with `model.safetensors.index.json`, as
/// Hugging Face writes them.
class ShardedStream {
public:
    static constexpr uint64_t kShardBytes = 5'000'000'000;

    ShardedStream(std::filesystem::path folder, const std::vector<TensorPlan>& plan,
                  uint64_t shardBytes = kShardBytes);
    void write(const std::string& name, const Tensor& tensor);
    void commit();

private:
    void openNext();

    std::filesystem::path folder_;
    std::vector<std::vector<TensorPlan>> shards_;
    std::unique_ptr<TensorStream> stream_;
    size_t shard_ = 0, inShard_ = 0;
};

}  // namespace owq
