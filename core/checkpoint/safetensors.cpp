// SPDX-License-Identifier: Apache-2.0
// safetensors: 8 bytes of little-endian header length, JSON header, tensor data without holes.
#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <unordered_map>
#include <unordered_set>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/checkpoint/limits.h"
#include "core/checkpoint/safetensors_header.h"
#include "core/checkpoint/sniff.h"
#include "core/checkpoint/tensor_file.h"

namespace owq {
namespace {

// Data must follow one another without holes or overlaps up to the end of the file: a hole or a rest hides foreign bytes or
// a download that was cut.
void checkLayout(const std::vector<SafetensorsEntry>& entries, uint64_t dataBytes, const std::string& where) {
    std::vector<size_t> order(entries.size());
    std::iota(order.begin(), order.end(), size_t(0));
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        return std::pair(entries[a].begin, entries[a].end) < std::pair(entries[b].begin, entries[b].end);
    });
    uint64_t end = 0;
    for (size_t i : order) {
        const SafetensorsEntry& e = entries[i];
        if (e.end > dataBytes)
            throw Error("tensor \"" + e.info.name + "\" ends at byte " + std::to_string(e.end) + " of the data, the file has only " +
                            std::to_string(dataBytes), where, "The file is cut off: download or write it again");
        if (e.begin != end)
            throw Error("tensor \"" + e.info.name + (e.begin < end ? "\" overlaps another" : "\" follows a hole in the data"), where);
        end = e.end;
    }
    if (end != dataBytes) throw Error(std::to_string(dataBytes - end) + " bytes follow the last tensor", where);
}

class SafetensorsFile : public TensorFile {
public:
    explicit SafetensorsFile(std::shared_ptr<const MappedFile> mapped) : mapped_(std::move(mapped)) {
        const std::span<const std::byte> bytes = mapped_->bytes();
        const std::string where = mapped_->path().string();
        if (bytes.size() < 8)
            throw Error("has " + std::to_string(bytes.size()) + " bytes, too few for a safetensors file", where,
                        "Download or write it again");
        uint64_t length = 0;
        for (int i = 7; i >= 0; --i) length = length << 8 | uint64_t(bytes[size_t(i)]);
        const uint64_t available = bytes.size() - 8;
        if (length > available || length > limits::kHeaderBytes)
            throw Error("states a header of " + std::to_string(length) + " bytes, " +
                            (length > available ? "longer than the file" : "over the limit of 100 MB"), where,
                        "The file is cut off or no safetensors file");
        SafetensorsHeader header =
            parseSafetensorsHeader({reinterpret_cast<const char*>(bytes.data()) + 8, size_t(length)}, where);
        data_ = bytes.data() + 8 + length;
        checkLayout(header.entries, available - length, where);
        metadata_ = std::move(header.metadata);
        std::stable_sort(header.entries.begin(), header.entries.end(),
                         [](const auto& a, const auto& b) { return a.begin < b.begin; });
        tensors_.reserve(header.entries.size());
        for (SafetensorsEntry& e : header.entries) {
            begins_.push_back(e.begin);
            tensors_.push_back(std::move(e.info));
            tensors_.back().file = mapped_->path();
        }
        for (size_t i = 0; i < tensors_.size(); ++i) byName_.emplace(tensors_[i].name, i);
    }

    const std::vector<TensorInfo>& tensors() const override { return tensors_; }
    const TensorInfo* find(std::string_view name) const override {
        const auto it = byName_.find(name);
        return it == byName_.end() ? nullptr : &tensors_[it->second];
    }
    Tensor read(std::string_view name) const override {
        const auto it = byName_.find(name);
        if (it == byName_.end()) throw Error("has no tensor \"" + std::string(name) + "\"", mapped_->path().string());
        const TensorInfo& info = tensors_[it->second];
        return {info.dtype, info.shape, data_ + begins_[it->second], mapped_};
    }
    const Metadata& metadata() const override { return metadata_; }

private:
    std::shared_ptr<const MappedFile> mapped_;
    const std::byte* data_ = nullptr;
    std::vector<TensorInfo> tensors_;
    std::vector<uint64_t> begins_;
    std::unordered_map<std::string_view, size_t> byName_;
    Metadata metadata_;
};

std::string quoted(const std::string& text, const std::string& where) {
    try {
        return Json(text).dump();
    } catch (const Json::exception&) {
        throw Error("a name or metadata text is not UTF-8", where);
    }
}

}  // namespace

std::shared_ptr<const TensorFile> openSafetensors(const std::filesystem::path& file) {
    auto mapped = MappedFile::open(file);
    refuseLfsPointer(mapped->bytes(), file);
    return std::make_shared<SafetensorsFile>(std::move(mapped));
}

namespace {

/// The length of the header, and the header: names, types and places of what follows it.
std::string beginningOf(const std::vector<TensorLayout>& tensors, const Metadata& metadata, const std::string& where, uint64_t& dataBytes) {
    std::string header = "{";
    std::unordered_set<std::string> seen;
    if (!metadata.empty()) {
        header += "\"__metadata__\":{";
        for (size_t i = 0; i < metadata.size(); ++i) {
            if (!seen.insert(metadata[i].first).second) throw Error("metadata \"" + metadata[i].first + "\" is given twice", where);
            header += (i ? "," : "") + quoted(metadata[i].first, where) + ":" + quoted(metadata[i].second, where);
        }
        header += tensors.empty() ? "}" : "},";
    }
    seen = {"__metadata__"};
    uint64_t offset = 0;
    for (size_t i = 0; i < tensors.size(); ++i) {
        const auto& [name, dtype, shape] = tensors[i];
        if (!seen.insert(name).second) throw Error("tensor \"" + name + "\" is given twice", where);
        uint64_t end = byteSize(dtype);
        header += (i ? "," : "") + quoted(name, where) + ":{\"dtype\":\"" + std::string(owq::name(dtype)) + "\",\"shape\":[";
        for (size_t d = 0; d < shape.size(); ++d) {
            header += (d ? "," : "") + std::to_string(shape[d]);
            end *= uint64_t(shape[d]);
        }
        end += offset;
        header += "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(end) + "]}";
        offset = end;
    }
    header += "}";
    header.append((8 - header.size() % 8) % 8, ' ');
    if (header.size() > limits::kHeaderBytes) throw Error("needs a header over the limit of 100 MB", where);
    dataBytes = offset;
    std::string length(8, 0);
    for (int i = 0; i < 8; ++i) length[size_t(i)] = char(uint64_t(header.size()) >> (8 * i) & 0xff);
    return length + header;
}

}  // namespace

SafetensorsWriter::SafetensorsWriter(const std::filesystem::path& file, const std::vector<TensorLayout>& tensors, const Metadata& metadata) {
    const std::string beginning = beginningOf(tensors, metadata, file.string(), missing_);
    requireSpace(file, beginning.size() + missing_);
    out_ = std::make_unique<AtomicFile>(file);
    out_->write(beginning);
}

SafetensorsWriter::~SafetensorsWriter() = default;

void SafetensorsWriter::write(const void* data, uint64_t bytes) {
    if (bytes > missing_) throw std::logic_error("more data than the header tells of");
    if (bytes) out_->write(data, bytes);
    missing_ -= bytes;
}

void SafetensorsWriter::commit() {
    if (missing_) throw std::logic_error("less data than the header tells of");
    out_->commit();
}

void writeSafetensors(const std::filesystem::path& file, const NamedTensors& tensors, const Metadata& metadata) {
    std::vector<TensorLayout> layout;
    for (const auto& [name, tensor] : tensors) layout.push_back({name, tensor.dtype, tensor.shape});
    SafetensorsWriter writer(file, layout, metadata);
    for (const auto& [name, tensor] : tensors) writer.write(tensor.data, tensor.bytes());
    writer.commit();
}

}  // namespace owq
