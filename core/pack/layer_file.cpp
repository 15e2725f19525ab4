// SPDX-License-Identifier: Apache-2.0
#include "core/pack/layer_file.h"

#include <charconv>
#include <cmath>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/checkpoint/tensor_file.h"

namespace owq {
namespace {

std::string exactText(double value) {
    char text[64];
    return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

const std::string& text(const Metadata& metadata, const char* key, const std::string& where) {
    for (const auto& [name, value] : metadata)
        if (name == key) return value;
    throw Error("has no metadata entry \"" + std::string(key) + "\": it is no layer file of a run", where);
}

template <class T>
T number(const Metadata& metadata, const char* key, const std::string& where) {
    const std::string& written = text(metadata, key, where);
    T value{};
    const auto [end, error] = std::from_chars(written.data(), written.data() + written.size(), value);
    if (error != std::errc{} || end != written.data() + written.size())
        throw Error("has \"" + written + "\" where a number is expected: " + key, where);
    return value;
}

struct Reader {
    std::shared_ptr<const TensorFile> file;
    std::string where;

    Tensor get(const char* tensor, std::vector<int64_t> shape, DType type) const {
        Tensor t = file->read(tensor);
        if (t.shape != shape || t.dtype != type)
            throw Error("tensor " + std::string(tensor) + " is " + std::string(name(t.dtype)) + " " +
                            shapeText(t.shape) + ", expected " + std::string(name(type)) + " " +
                            shapeText(shape),
                        where);
        return t;
    }
    template <class T>
    std::vector<T> values(const char* tensor, std::vector<int64_t> shape, DType type) const {
        const Tensor t = get(tensor, std::move(shape), type);
        std::vector<T> out(size_t(t.count()));
        if (!out.empty()) std::memcpy(out.data(), t.data, out.size() * sizeof(T));
        return out;
    }
    /// A statistic that may be absent.
    template <class T>
    std::vector<T> statistic(const char* tensor, int64_t columns, DType type) const {
        const TensorInfo* info = file->find(tensor);
        if (!info) return {};
        const bool shorter =
            std::string_view(tensor) == "column_loss" && info->shape.size() == 1 && info->shape[0] <= columns;
        return values<T>(tensor, {shorter ? info->shape[0] : columns}, type);
    }
};

void checkRanges(const QuantizedLinear& q, const std::string& where) {
    const int last = (1 << q.bits) - 1;
    for (uint8_t c : q.codes)
        if (c > last) throw Error("tensor codes holds a value above " + std::to_string(last), where);
    for (float s : q.scale)
        if (!std::isfinite(s)) throw Error("tensor scale holds a value that is not finite", where);
    for (float z : q.zero)
        if (!(z >= 0 && z <= last))
            throw Error("tensor zero holds a value outside 0…" + std::to_string(last), where);
    for (size_t j = 0; j < q.weakColumns.size(); ++j)
        if (q.weakColumns[j] < 0 || q.weakColumns[j] >= q.columns ||
            (j && q.weakColumns[j] <= q.weakColumns[j - 1]))
            throw Error("tensor weak_columns is not ascending or names a column that does not exist", where);
}

}  // namespace

void writeLayerFile(const std::filesystem::path& file, const std::string& name, const LinearOutcome& outcome,
                    DType type) {
    const QuantizedLinear& q = outcome.weight;
    const LinearStatistics& s = outcome.statistics;
    const int64_t k = int64_t(q.weakColumns.size());
    NamedTensors tensors{{"codes", Tensor::u8({q.rows, q.columns}, q.codes)},
                         {"scale", Tensor::f32({q.rows, q.groups()}, q.scale)},
                         {"zero", Tensor::f32({q.rows, q.groups()}, q.zero)},
                         {"weak_columns", Tensor::i32({k}, q.weakColumns)},
                         {"weak_weight", Tensor::rounded(type, {q.rows, k}, q.weakWeight)}};
    const auto add = [&](const char* key, const std::vector<float>& values) {
        if (!values.empty()) tensors.emplace_back(key, Tensor::f32({int64_t(values.size())}, values));
    };
    add("hessian_diagonal", s.hessianDiagonal);
    add("column_min", s.columnMin);
    add("column_max", s.columnMax);
    add("column_error", s.columnError);
    add("sensitivity", s.sensitivity);
    add("column_loss", s.columnLoss);
    if (!s.order.empty()) tensors.emplace_back("order", Tensor::i32({int64_t(s.order.size())}, s.order));
    const Metadata metadata{{"name", name},
                            {"bits", std::to_string(q.bits)},
                            {"group_size", std::to_string(q.groupSize)},
                            {"symmetric", q.symmetric ? "1" : "0"},
                            {"error", exactText(outcome.error)},
                            {"damping", exactText(outcome.damping)},
                            {"tokens", std::to_string(s.tokens)},
                            {"notes", Json(outcome.notes).dump()}};
    writeSafetensors(file, tensors, metadata);
}

LinearShape readLayerShape(const std::filesystem::path& file) {
    const auto in = openSafetensors(file);
    const std::string where = file.string();
    const auto shape = [&](const char* tensor, size_t dimensions) {
        const TensorInfo* info = in->find(tensor);
        if (!info || info->shape.size() != dimensions)
            throw Error("tensor " + std::string(tensor) + " is missing or of the wrong shape", where);
        return info->shape;
    };
    const auto codes = shape("codes", 2);
    const LinearShape s{file.stem().string(), codes[0], codes[1], number<int>(in->metadata(), "bits", where), shape("weak_columns", 1)[0],
                        number<int64_t>(in->metadata(), "group_size", where), number<int>(in->metadata(), "symmetric", where) != 0};
    if (s.bits < 1 || s.bits > 8 || s.groupSize < 0) throw Error("has impossible bits or group size", where);
    if (s.weakColumns > s.columns) throw Error("tensor weak_columns is longer than the matrix is wide", where);
    return s;
}

LinearOutcome readLayerFile(const std::filesystem::path& file) {
    const Reader in{openSafetensors(file), file.string()};
    const Metadata& metadata = in.file->metadata();
    LinearOutcome outcome;
    QuantizedLinear& q = outcome.weight;
    q.bits = number<int>(metadata, "bits", in.where);
    q.groupSize = number<int64_t>(metadata, "group_size", in.where);
    q.symmetric = number<int>(metadata, "symmetric", in.where) != 0;
    outcome.error = number<double>(metadata, "error", in.where);
    outcome.damping = number<double>(metadata, "damping", in.where);
    if (q.bits < 1 || q.bits > 8 || q.groupSize < 0)
        throw Error("has impossible bits or group size", in.where);
    const Json notes = parseJson(text(metadata, "notes", in.where), in.where);
    if (!notes.is_array()) throw Error("metadata entry notes is no list", in.where);
    for (const Json& note : notes)
        if (note.is_string()) outcome.notes.push_back(note.get<std::string>());

    const Tensor codes = in.file->read("codes");
    if (codes.shape.size() != 2) throw Error("tensor codes is no matrix", in.where);
    q.rows = codes.shape[0], q.columns = codes.shape[1];
    q.codes = in.values<uint8_t>("codes", {q.rows, q.columns}, DType::u8);
    q.scale = in.values<float>("scale", {q.rows, q.groups()}, DType::f32);
    q.zero = in.values<float>("zero", {q.rows, q.groups()}, DType::f32);
    const int64_t k = in.file->read("weak_columns").count();
    q.weakColumns = in.values<int32_t>("weak_columns", {k}, DType::i32);
    const TensorInfo* weak = in.file->find("weak_weight");
    q.weakType = weak ? weak->dtype : DType::f16;
    q.weakWeight = in.get("weak_weight", {q.rows, k}, q.weakType).toFloat();
    checkRanges(q, in.where);

    LinearStatistics& s = outcome.statistics;
    s.tokens = number<int64_t>(metadata, "tokens", in.where);
    s.hessianDiagonal = in.statistic<float>("hessian_diagonal", q.columns, DType::f32);
    s.columnMin = in.statistic<float>("column_min", q.columns, DType::f32);
    s.columnMax = in.statistic<float>("column_max", q.columns, DType::f32);
    s.columnError = in.statistic<float>("column_error", q.columns, DType::f32);
    s.sensitivity = in.statistic<float>("sensitivity", q.columns, DType::f32);
    s.columnLoss = in.statistic<float>("column_loss", q.columns, DType::f32);
    s.order = in.statistic<int32_t>("order", q.columns, DType::i32);
    return outcome;
}

}  // namespace owq
