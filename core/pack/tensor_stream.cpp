// SPDX-License-Identifier: Apache-2.0
#include "core/pack/tensor_stream.h"

#include <cstdio>

#include "core/base/error.h"
#include "core/base/json.h"

namespace owq {
namespace {

std::string shardName(size_t index, size_t count) {
    if (count == 1) return "model.safetensors";
    char text[64];
    std::snprintf(text, sizeof text, "model-%05zu-of-%05zu.safetensors", index + 1, count);
    return text;
}

const Metadata kShardMetadata{{"format", "pt"}};

}  // namespace

uint64_t TensorPlan::bytes() const {
    uint64_t n = byteSize(dtype);
    for (int64_t d : shape) n *= uint64_t(d);
    return n;
}

TensorStream::TensorStream(const std::filesystem::path& file, std::vector<TensorPlan> plan,
                           const Metadata& metadata)
    : file_(file), plan_(std::move(plan)) {
    Json header = Json::object();
    for (const auto& [key, value] : metadata) header["__metadata__"][key] = value;
    uint64_t offset = 0;
    for (const TensorPlan& p : plan_) {
        header[p.name] = {
            {"dtype", name(p.dtype)}, {"shape", p.shape}, {"data_offsets", {offset, offset + p.bytes()}}};
        offset += p.bytes();
    }
    std::string text = header.dump();
    text.append((8 - text.size() % 8) % 8, ' ');
    const uint64_t length = text.size();
    file_.write(&length, sizeof length);
    file_.write(text);
}

void TensorStream::write(const std::string& name, const Tensor& tensor) {
    if (next_ >= plan_.size() || plan_[next_].name != name || plan_[next_].dtype != tensor.dtype ||
        plan_[next_].shape != tensor.shape)
        throw Error("tensor differs from what was planned for the file", name,
                    "The run may have changed while it was exported: export it again");
    ++next_;
    if (tensor.bytes()) file_.write(tensor.data, tensor.bytes());
}

void TensorStream::commit() {
    if (next_ != plan_.size()) throw Error("tensor was planned but not written", plan_[next_].name);
    file_.commit();
}

ShardedStream::ShardedStream(std::filesystem::path folder, const std::vector<TensorPlan>& plan,
                             uint64_t shardBytes)
    : folder_(std::move(folder)) {
    uint64_t total = 0, filled = 0;
    shards_.emplace_back();
    for (const TensorPlan& p : plan) {
        if (!shards_.back().empty() && filled + p.bytes() > shardBytes) {
            shards_.emplace_back();
            filled = 0;
        }
        shards_.back().push_back(p);
        filled += p.bytes();
        total += p.bytes();
    }
    if (shards_.size() > 1) {
        Json index{{"metadata", {{"total_size", total}}}, {"weight_map", Json::object()}};
        for (size_t s = 0; s < shards_.size(); ++s)
            for (const TensorPlan& p : shards_[s]) index["weight_map"][p.name] = shardName(s, shards_.size());
        writeJson(folder_ / "model.safetensors.index.json", index);
    }
    openNext();
}

void ShardedStream::openNext() {
    stream_ = std::make_unique<TensorStream>(folder_ / shardName(shard_, shards_.size()), shards_[shard_],
                                             kShardMetadata);
    inShard_ = 0;
}

void ShardedStream::write(const std::string& name, const Tensor& tensor) {
    if (inShard_ == shards_[shard_].size() && shard_ + 1 < shards_.size()) {
        stream_->commit();
        ++shard_;
        openNext();
    }
    stream_->write(name, tensor);
    ++inShard_;
}

void ShardedStream::commit() {
    if (shard_ + 1 != shards_.size()) throw Error("shards were planned but not written", folder_.string());
    stream_->commit();
}

}  // namespace owq
