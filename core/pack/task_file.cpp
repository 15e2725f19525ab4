// SPDX-License-Identifier: Apache-2.0
#include "core/pack/task_file.h"

#include <cmath>
#include <cstring>

#include "core/base/error.h"
#include "core/base/file.h"

namespace owq {
namespace {

constexpr const char* kFormat = "owq-task-1";
constexpr std::string_view kWeight = ".weak_weight", kColumns = ".weak_columns", kFrozen = "frozen:";
constexpr const char* kRemedy = "Tune again, or get the file again from where it came";

template <class T>
void append(std::vector<std::byte>& to, const T* values, size_t count) {
    const auto* bytes = reinterpret_cast<const std::byte*>(values);
    to.insert(to.end(), bytes, bytes + count * sizeof(T));
}

const std::string* find(const Metadata& metadata, std::string_view key) {
    for (const auto& [name, value] : metadata)
        if (name == key) return &value;
    return nullptr;
}

TaskLinear readLinear(const TensorFile& file, const std::string& name, const std::string& where) {
    TaskLinear linear;
    const auto refuse = [&](std::string_view tensor, const std::string& what) {
        throw Error("tensor " + name + std::string(tensor) + " " + what, where, kRemedy);
    };
    if (!file.find(name + std::string(kColumns))) refuse(kColumns, "is missing");
    const Tensor columns = file.read(name + std::string(kColumns)), weight = file.read(name + std::string(kWeight));
    if (columns.dtype != DType::i32 || columns.shape.size() != 1 || columns.shape[0] < 1) refuse(kColumns, "is no list of weak columns");
    linear.columns.resize(size_t(columns.shape[0]));
    std::memcpy(linear.columns.data(), columns.data, columns.bytes());
    for (size_t j = 0; j < linear.columns.size(); ++j)
        if (linear.columns[j] < 0 || (j && linear.columns[j] <= linear.columns[j - 1])) refuse(kColumns, "is not ascending");
    linear.type = weight.dtype;
    if ((weight.dtype != DType::f16 && weight.dtype != DType::bf16 && weight.dtype != DType::f32) || weight.shape.size() != 2 ||
        weight.shape[1] != columns.shape[0])
        refuse(kWeight, "is " + std::string(owq::name(weight.dtype)) + " " + shapeText(weight.shape) + ", which does not fit its weak columns");
    linear.rows = weight.shape[0];
    linear.weight = weight.toFloat();
    for (const float value : linear.weight)
        if (!std::isfinite(value)) refuse(kWeight, "holds a value that is not finite");
    const std::string* frozen = find(file.metadata(), std::string(kFrozen) + name);
    if (!frozen) throw Error("has no hash of the packed matrix of " + name, where, kRemedy);
    linear.frozen = *frozen;
    return linear;
}

}  // namespace

std::string frozenHash(const QuantizedLinear& q) {
    std::vector<std::byte> bytes;
    const int64_t numbers[] = {q.rows, q.columns, q.bits, q.groupSize, q.symmetric, int64_t(q.weakColumns.size())};
    append(bytes, numbers, std::size(numbers));
    append(bytes, q.weakColumns.data(), q.weakColumns.size());
    append(bytes, q.zero.data(), q.zero.size());
    const size_t codes = bytes.size();
    append(bytes, q.codes.data(), q.codes.size());
    for (int64_t r = 0; r < q.rows; ++r)
        for (const int32_t c : q.weakColumns) bytes[codes + size_t(r * q.columns + c)] = std::byte{0};
    return sha256(bytes);
}

Task readTask(const std::filesystem::path& path) {
    const std::string where = path.string();
    const auto file = openSafetensors(path);
    const std::string* format = find(file->metadata(), "format");
    if (!format || *format != kFormat)
        throw Error("is no task of weak columns", where, "Give the task.safetensors that owq tune wrote");
    Task task;
    for (const auto& [key, value] : file->metadata())
        if (key != "format" && !key.starts_with(kFrozen)) task.about.emplace_back(key, value);
    for (const TensorInfo& info : file->tensors()) {
        if (info.name.ends_with(kWeight)) {
            const std::string name = info.name.substr(0, info.name.size() - kWeight.size());
            task.linears.emplace(name, readLinear(*file, name, where));
        } else if (!info.name.ends_with(kColumns)) {
            throw Error("tensor " + info.name + " does not belong into a task", where, kRemedy);
        }
    }
    if (task.linears.empty()) throw Error("holds no weak columns", where, kRemedy);
    return task;
}

void writeTask(const std::filesystem::path& file, const Task& task) {
    NamedTensors tensors;
    Metadata metadata{{"format", kFormat}};
    metadata.insert(metadata.end(), task.about.begin(), task.about.end());
    for (const auto& [name, linear] : task.linears) {
        const int64_t k = int64_t(linear.columns.size());
        tensors.emplace_back(name + std::string(kColumns), Tensor::i32({k}, linear.columns));
        tensors.emplace_back(name + std::string(kWeight), Tensor::rounded(linear.type, {linear.rows, k}, linear.weight));
        metadata.emplace_back(std::string(kFrozen) + name, linear.frozen);
    }
    writeSafetensors(file, tensors, metadata);
}

TaskLinear weakColumnsOf(const QuantizedLinear& q) { return {q.rows, q.weakColumns, q.weakWeight, q.weakType, frozenHash(q)}; }

const TaskLinear& tunedColumns(const Task& task, const std::string& name, const TaskLinear& own, const std::string& file) {
    const auto found = task.linears.find(name);
    if (found == task.linears.end()) return own;
    const TaskLinear& tuned = found->second;
    if (tuned.rows != own.rows || tuned.columns != own.columns || tuned.frozen != own.frozen)
        throw Error("the task was tuned on other packed weights than these: " + name + " differs", file,
                    "Use it with the run or packed model that it was tuned on, or an export of the same run");
    return tuned;
}

void applyTask(const Task& task, const std::string& name, QuantizedLinear& linear, const std::string& file) {
    if (!task.linears.contains(name)) return;
    const TaskLinear own = weakColumnsOf(linear);
    const TaskLinear& tuned = tunedColumns(task, name, own, file);
    linear.weakWeight = tuned.weight;
    linear.weakType = tuned.type;
}

}  // namespace owq
