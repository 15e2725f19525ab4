// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/base/tensor.h"

namespace owq {

struct TensorInfo {
    std::string name;
    DType dtype = DType::f32;
    std::vector<int64_t> shape;
    std::filesystem::path file;
    uint64_t bytes = 0;
};

/// `__metadata__` of a safetensors file: text to text.
using Metadata = std::vector<std::pair<std::string, std::string>>;
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// A file of named tensors, opened by its header only. Tensors are views into the mapped file.
class TensorFile {
public:
    virtual ~TensorFile() = default;
    /// In file order.
    virtual const std::vector<TensorInfo>& tensors() const = 0;
    /// Null when absent.
    virtual const TensorInfo* find(std::string_view name) const = 0;
    /// Error when absent.
    virtual Tensor read(std::string_view name) const = 0;
    /// Empty for formats that have none.
    virtual const Metadata& metadata() const;
};

/// Opens .safetensors or a PyTorch zip (.bin, .pth, .pt), told apart by content. A PyTorch file is read by a restricted
/// unpickler that never executes anything. Throws Error naming file, tensor and reason for anything malformed.
std::shared_ptr<const TensorFile> openTensorFile(const std::filesystem::path& file);
std::shared_ptr<const TensorFile> openSafetensors(const std::filesystem::path& file);

struct TensorLayout {
    std::string name;
    DType dtype = DType::f32;
    std::vector<int64_t> shape;
};

/// A safetensors file that is not held in memory: its layout first, then the data of all tensors in that order, in pieces of any size.
/// Without commit() nothing stays behind. Throws Error when the disk has not the space.
class SafetensorsWriter {
public:
    SafetensorsWriter(const std::filesystem::path& file, const std::vector<TensorLayout>& tensors, const Metadata& metadata = {});
    ~SafetensorsWriter();
    void write(const void* data, uint64_t bytes);
    /// All data must have been written.
    void commit();

private:
    std::unique_ptr<class AtomicFile> out_;
    uint64_t missing_ = 0;
};

/// Writes atomically (temporary name, sync, rename); tensors in the order given, data aligned to 8 bytes.
void writeSafetensors(const std::filesystem::path& file, const NamedTensors& tensors, const Metadata& metadata = {});

}  // namespace owq
