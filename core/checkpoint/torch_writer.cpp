// SPDX-License-Identifier: Apache-2.0
// The zip that torch.save would write: data.pkl (protocol 2), byteorder, version, and one entry per storage.
#include <bit>
#include <map>

#include "core/base/error.h"
#include "core/checkpoint/limits.h"
#include "core/checkpoint/torch_globals.h"
#include "core/checkpoint/torch_pickle.h"
#include "core/checkpoint/zip_writer.h"

namespace owq {
namespace {

class Pickler {
public:
    explicit Pickler(std::string where) : where_(std::move(where)) {}
    std::vector<Tensor> storages;

    std::string run(const PickleValue& root) {
        out_ = "\x80\x02";
        value(root, 0);
        out_ += '.';
        return std::move(out_);
    }

private:
    void value(const PickleValue& v, int depth) {
        if (depth > limits::kPickleDepth) fail("value is nested deeper than " + std::to_string(limits::kPickleDepth));
        std::visit([&](const auto& held) { write(held, depth); }, v.value);
    }
    void write(std::monostate, int) { out_ += 'N'; }
    void write(bool v, int) { out_ += v ? '\x88' : '\x89'; }
    void write(int64_t v, int) { integer(v); }
    void write(double v, int) {
        out_ += 'G';
        bytes(__builtin_bswap64(std::bit_cast<uint64_t>(v)), 8);
    }
    void write(const std::string& v, int) { text(v); }
    void write(const PickleDType& v, int) {
        const char* name = dtypeObjectName(v.dtype);
        if (!name) fail("PyTorch has no dtype for " + std::string(owq::name(v.dtype)));
        global("torch", name);
    }
    void write(const std::vector<PickleValue>& v, int depth) {
        out_ += "](";
        for (const PickleValue& item : v) value(item, depth + 1);
        out_ += 'e';
    }
    void write(const PickleDict& v, int depth) {
        out_ += "}(";
        for (const auto& [key, item] : v) {
            text(key);
            value(item, depth + 1);
        }
        out_ += 'u';
    }
    void write(const PickleNamespace& v, int depth) {
        global("types", "SimpleNamespace");
        out_ += ")R";
        write(v.fields, depth);
        out_ += 'b';
    }
    void write(const Tensor& v, int) {
        const char* type = storageTypeName(v.dtype);
        if (!type) fail("PyTorch files hold no tensors of type " + std::string(owq::name(v.dtype)));
        global("torch._utils", "_rebuild_tensor_v2");
        out_ += "((";
        text("storage");
        global("torch", type);
        text(std::to_string(storageOf(v)));
        text("cpu");
        integer(v.count());
        out_ += "tQK";
        out_ += '\0';  // offset 0
        tuple(v.shape);
        std::vector<int64_t> strides(v.shape.size(), 1);
        for (size_t i = strides.size(); i-- > 1;) strides[i - 1] = strides[i] * std::max<int64_t>(v.shape[i], 1);
        tuple(strides);
        out_ += '\x89';  // requires_grad
        global("collections", "OrderedDict");
        out_ += ")RtR";
    }

    // Tensors that share memory share a storage, as tied weights do in Python.
    size_t storageOf(const Tensor& v) {
        if (v.bytes() == 0) {
            storages.push_back(v);
            return storages.size() - 1;
        }
        const auto [it, fresh] = known_.emplace(std::tuple(v.data, v.bytes(), v.dtype), storages.size());
        if (fresh) storages.push_back(v);
        return it->second;
    }
    void tuple(const std::vector<int64_t>& items) {
        out_ += '(';
        for (int64_t v : items) integer(v);
        out_ += 't';
    }
    void integer(int64_t v) {
        if (v >= 0 && v < 256) {
            out_ += 'K';
            bytes(uint64_t(v), 1);
        } else if (v >= INT32_MIN && v <= INT32_MAX) {
            out_ += 'J';
            bytes(uint64_t(v), 4);
        } else {
            out_ += "\x8a\x08";
            bytes(uint64_t(v), 8);
        }
    }
    void text(std::string_view v) {
        if (v.size() > limits::kHeaderBytes) fail("a text is over the limit of 100 MB");
        out_ += 'X';
        bytes(v.size(), 4);
        out_ += v;
    }
    void global(std::string_view module, std::string_view name) { out_.append("c").append(module).append("\n").append(name).append("\n"); }
    void bytes(uint64_t v, int count) {
        for (int i = 0; i < count; ++i) out_ += char(v >> (8 * i) & 0xff);
    }
    [[noreturn]] void fail(const std::string& what) const { throw Error(what, where_); }

    std::string where_, out_;
    std::map<std::tuple<const std::byte*, size_t, DType>, size_t> known_;
};

}  // namespace

void writeTorchFile(const std::filesystem::path& file, const PickleValue& root) {
    Pickler pickler(file.string());
    const std::string pickle = pickler.run(root);
    uint64_t need = pickle.size() + 4096;
    for (const Tensor& storage : pickler.storages) need += storage.bytes() + 256;
    requireSpace(file, need);
    AtomicFile out(file);
    ZipWriter zip(out);
    // torch.load takes the folder's name from the first entry; it may be any.
    zip.add("archive/data.pkl", pickle);
    zip.add("archive/byteorder", "little");
    for (size_t i = 0; i < pickler.storages.size(); ++i)
        zip.add("archive/data/" + std::to_string(i), pickler.storages[i].data, pickler.storages[i].bytes());
    zip.add("archive/version", "3\n");
    zip.finish();
    out.commit();
}

}  // namespace owq
