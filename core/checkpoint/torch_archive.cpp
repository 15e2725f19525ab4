// SPDX-License-Identifier: Apache-2.0
#include "core/checkpoint/torch_archive.h"

#include <cstring>

#include "core/base/error.h"
#include "core/checkpoint/limits.h"
#include "core/checkpoint/pickle_reader.h"
#include "core/checkpoint/sniff.h"
#include "core/checkpoint/zip_directory.h"

namespace owq {
namespace {

std::string_view text(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// One description per key; files that describe one storage in two ways are refused.
std::unordered_map<std::string_view, StorageMention> distinctStorages(const PickleGraph& graph, const std::string& where) {
    std::unordered_map<std::string_view, StorageMention> byKey;
    for (const StorageMention& mention : graph.storages) {
        const auto [it, fresh] = byKey.emplace(mention.key, mention);
        if (!fresh && (it->second.dtype != mention.dtype || it->second.count != mention.count))
            throw Error("storage \"" + std::string(mention.key.substr(0, 80)) + "\" is described in two ways", where);
    }
    return byKey;
}

[[noreturn]] void wrongSize(std::string_view key, uint64_t have, const StorageMention& mention, const std::string& where) {
    throw Error("storage \"" + std::string(key.substr(0, 80)) + "\" holds " + std::to_string(have) + " bytes, its tensors expect " +
                    std::to_string(mention.count) + " elements of " + std::string(name(mention.dtype)), where,
                "The file is damaged: download or write it again");
}

bool sizeFits(const StorageMention& mention, uint64_t bytes) {
    uint64_t need = 0;
    return !__builtin_mul_overflow(mention.count, byteSize(mention.dtype), &need) && need == bytes;
}

// Copies the elements of a strided view in row-major order.
void unfold(const std::byte* from, const TensorView& view, size_t size, std::byte* to) {
    const size_t rank = view.shape.size();
    std::vector<int64_t> index(rank, 0);
    const size_t inner = size_t(view.shape[rank - 1]), step = size_t(view.strides[rank - 1]) * size;
    for (uint64_t done = 0; done < view.elements; done += inner) {
        const std::byte* row = from;
        for (size_t i = 0; i + 1 < rank; ++i) row += size_t(index[i]) * size_t(view.strides[i]) * size;
        for (size_t j = 0; j < inner; ++j, to += size) std::memcpy(to, row + j * step, size);
        for (size_t i = rank - 1; i-- > 0;) {
            if (++index[i] < view.shape[i]) break;
            index[i] = 0;
        }
    }
}

}  // namespace

std::shared_ptr<const TorchArchive> TorchArchive::open(const std::filesystem::path& file) {
    std::shared_ptr<TorchArchive> archive(new TorchArchive);
    archive->mapped_ = MappedFile::open(file);
    refuseLfsPointer(archive->mapped_->bytes(), file);
    switch (sniff(archive->mapped_->bytes())) {
        case FileKind::torchZip: archive->openZip(); break;
        case FileKind::torchLegacy: archive->openLegacy(); break;
        default: throw Error("is not a PyTorch file", file.string());
    }
    return archive;
}

void TorchArchive::openZip() {
    const ZipDirectory entries = readZipDirectory(mapped_->bytes(), where());
    std::string folder;
    for (const auto& [name, bytes] : entries) {
        if (!name.ends_with("/data.pkl") || name.find('/') != name.size() - 9) continue;
        if (!folder.empty()) throw Error("holds more than one data.pkl", where());
        folder = name.substr(0, name.size() - 8);
    }
    if (folder.empty()) throw Error("is a zip file without data.pkl, so torch.save did not write it", where());
    if (const auto order = entries.find(folder + "byteorder"); order != entries.end() && text(order->second) != "little")
        throw Error("was written on a big-endian machine", where(), "Save it again on a common machine");
    const std::span<const std::byte> pickle = entries.at(folder + "data.pkl");
    if (pickle.size() > limits::kHeaderBytes) throw Error("has a pickle over the limit of 100 MB", where());
    graph_ = readPickle(pickle, where());
    for (const auto& [key, mention] : distinctStorages(graph_, where())) {
        const auto entry = entries.find(folder + "data/" + std::string(key.substr(0, limits::kNameBytes)));
        if (entry == entries.end()) throw Error("storage \"" + std::string(key.substr(0, 80)) + "\" is not in the file", where());
        if (!sizeFits(mention, entry->second.size()))
            wrongSize(key, entry->second.size(), mention, where());
        storages_.emplace(key, entry->second.data());
    }
}

void TorchArchive::openLegacy() {
    // Five pickles (magic number, protocol, system, object, storage keys), then count and bytes of each storage in turn.
    static constexpr unsigned char kMagic[] = {0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};
    std::span<const std::byte> rest = mapped_->bytes();
    if (rest.size() < 15 || std::memcmp(rest.data() + 2, kMagic, sizeof kMagic) != 0)
        throw Error("is a bare pickle without PyTorch's magic number", where(),
                    "Save its tensors with torch.save or as safetensors");
    rest = rest.subspan(15);
    const auto next = [&] {
        size_t used = 0;
        PickleGraph graph = readPickle(rest, where(), &used);
        rest = rest.subspan(used);
        return graph;
    };
    const PickleGraph protocol = next();
    const Node& version = protocol.nodes[protocol.root];
    if (version.kind != NodeKind::integer || version.integer != 1001) throw Error("has an unknown PyTorch protocol number", where());
    const PickleGraph system = next();
    const Node& facts = system.nodes[system.root];
    if (facts.kind != NodeKind::dict) throw Error("has no description of the system that wrote it", where());
    for (size_t i = 0; i + 1 < facts.items.size(); i += 2)
        if (system.nodes[facts.items[i]].text == "little_endian" && system.nodes[facts.items[i + 1]].integer == 0)
            throw Error("was written on a big-endian machine", where(), "Save it again on a common machine");
    graph_ = next();
    const PickleGraph keys = next();
    if (keys.nodes[keys.root].kind != NodeKind::list) throw Error("has no list of storages", where());

    const auto expected = distinctStorages(graph_, where());
    for (NodeId id : keys.nodes[keys.root].items) {
        const std::string_view key = keys.nodes[id].text;
        const auto it = expected.find(key);
        if (it == expected.end()) throw Error("delivers storage \"" + std::string(key.substr(0, 80)) + "\" that no tensor uses", where());
        if (rest.size() < 8) throw Error("is cut off before storage \"" + std::string(key.substr(0, 80)) + "\"", where());
        uint64_t count = 0;
        std::memcpy(&count, rest.data(), 8);
        rest = rest.subspan(8);
        const StorageMention& mention = it->second;
        const uint64_t size = byteSize(mention.dtype);
        if (count != mention.count || count > rest.size() / size)
            wrongSize(key, std::min<uint64_t>(rest.size(), count > rest.size() / size ? rest.size() : count * size), mention, where());
        storages_.emplace(it->first, rest.data());
        rest = rest.subspan(size_t(count * size));
    }
    for (const auto& [key, mention] : expected)
        if (!storages_.contains(key)) throw Error("storage \"" + std::string(key.substr(0, 80)) + "\" is not in the file", where());
}

Tensor TorchArchive::tensor(const TensorView& view, uint64_t& unfolded) const {
    const size_t size = byteSize(view.storage.dtype);
    const std::byte* data = storages_.at(view.storage.key) + view.offset * size;
    if (view.contiguous) return {view.storage.dtype, view.shape, data, mapped_};
    const uint64_t bytes = view.elements * size;
    unfolded += bytes;
    if (unfolded > std::max(fileBytes(), limits::kStridedBytes))
        throw Error("a tensor of shape " + shapeText(view.shape) + " repeats few elements many times", where(),
                    "Save it again after .contiguous()");
    auto buffer = std::make_shared<std::vector<std::byte>>(bytes);
    unfold(data, view, size, buffer->data());
    return {view.storage.dtype, view.shape, buffer->data(), buffer};
}

}  // namespace owq
