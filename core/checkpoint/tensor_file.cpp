// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/tensor_file.h"

#include <cstring>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/checkpoint/sniff.h"
#include "core/checkpoint/torch_tensors.h"

namespace owq {
namespace {

std::string_view text(std::span<const std::byte> bytes, size_t most) {
    return {reinterpret_cast<const char*>(bytes.data()), std::min(bytes.size(), most)};
}

}  // namespace

const Metadata& TensorFile::metadata() const {
    static const Metadata none;
    return none;
}

FileKind sniff(std::span<const std::byte> bytes) {
    const std::string_view head = text(bytes, 9);
    // Before the others: a header length may begin with any byte, but no zip or pickle has a brace as its ninth.
    if (head.size() == 9 && head[8] == '{') return FileKind::safetensors;
    if (head.starts_with("PK\3\4") || head.starts_with("PK\5\6")) return FileKind::torchZip;
    if (head.starts_with("\x80")) return FileKind::torchLegacy;
    return FileKind::unknown;
}

void refuseLfsPointer(std::span<const std::byte> bytes, const std::filesystem::path& file) {
    if (bytes.size() < 1024 && text(bytes, 1024).starts_with("version https://git-lfs.github.com/spec/"))
        throw Error("is a Git LFS pointer, not the file itself", file.string(),
                    "Download the real file, for instance with \"git lfs pull\" in its folder");
}

std::shared_ptr<const TensorFile> openTensorFile(const std::filesystem::path& file) {
    const auto mapped = MappedFile::open(file);
    refuseLfsPointer(mapped->bytes(), file);
    if (mapped->bytes().empty()) throw Error("is empty", file.string(), "Download or write it again");
    const FileKind kind = sniff(mapped->bytes());
    if (kind == FileKind::torchZip || kind == FileKind::torchLegacy) return openTorchTensors(file);
    if (kind == FileKind::safetensors || file.extension() == ".safetensors") return openSafetensors(file);
    throw Error("is neither a safetensors nor a PyTorch file", file.string());
}

}  // namespace owq
