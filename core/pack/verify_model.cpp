// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "core/base/error.h"
#include "core/pack/gptq.h"
#include "core/pack/writing.h"

namespace owq::packing {
namespace {

[[noreturn]] void differs(const std::string& what, const std::string& name,
                          const std::filesystem::path& path) {
    throw Error(what + " of the written file differ from the run", path.string() + ", " + name,
                "The disk or the memory may be faulty: export again and report it if it stays");
}

void compareLinear(const QuantizedLinear& run, const QuantizedLinear& file, DType type,
                   const std::string& name, const std::filesystem::path& path) {
    if (run.rows != file.rows || run.columns != file.columns || run.bits != file.bits ||
        run.groups() != file.groups() || run.symmetric != file.symmetric)
        differs("shape and width", name, path);
    if (run.codes != file.codes) differs("codes", name, path);
    if (run.zero != file.zero) differs("zeros", name, path);
    if (run.weakColumns != file.weakColumns) differs("weak columns", name, path);
    const auto rounded = [&](const std::vector<float>& v) {
        return Tensor::rounded(type, {int64_t(v.size())}, v).toFloat();
    };
    if (rounded(run.scale) != file.scale) differs("scales", name, path);
    if (rounded(run.weakWeight) != file.weakWeight) differs("weak weights", name, path);
}

std::string count(size_t n, const char* what) {
    return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

std::vector<std::string> verifyDense(const PackSource& source, const std::filesystem::path& path,
                                     Meter& meter, const std::stop_token& stop) {
    const auto replaced = replacedWeights(source);
    const auto file = Checkpoint::open(path);
    if (file->tensors().size() != source.base->tensors().size()) differs("number of tensors", "", path);
    for (const TensorInfo& t : source.base->tensors()) {
        meter.next(t.name, stop);
        const auto it = replaced.find(t.name);
        const Tensor expected =
            it == replaced.end()
                ? source.base->read(t.name)
                : denseWeight(source, t, it->second->name);
        if (!identical(expected, file->read(t.name))) differs("values", t.name, path);
    }
    return {count(replaced.size(), "quantized linear") +
                ": dequantized weights equal after rounding to the checkpoint's type",
            count(source.base->tensors().size() - replaced.size(), "other tensor") + " equal byte for byte"};
}

std::vector<std::string> verifyGptq(const PackSource& source, const std::filesystem::path& path, Meter& meter, const std::stop_token& stop) {
    const auto replaced = replacedWeights(source);
    const auto file = Checkpoint::open(path);
    const std::string where = (path / "config.json").string();
    const Json& quantization = file->config().at("quantization_config");
    const bool second = required<std::string>(quantization, "checkpoint_format", where) == "gptq_v2";
    for (const TensorInfo& t : source.base->tensors()) {
        meter.next(t.name, stop);
        const auto it = replaced.find(t.name);
        if (it == replaced.end()) {
            if (!identical(source.base->read(t.name), file->read(t.name))) differs("values", t.name, path);
            continue;
        }
        const std::string& linear = it->second->name;
        const GptqLinear packed{file->read(linear + ".qweight"), file->read(linear + ".qzeros"), file->read(linear + ".scales"),
                                file->read(linear + ".g_idx")};
        compareLinear(source.linear(linear), unpackGptq(packed, *it->second, second ? GptqVersion::v2 : GptqVersion::v1, linear), DType::f16,
                      linear, path);
    }
    return {count(replaced.size(), "packed linear") + ": codes and zeros equal", "scales equal after rounding to F16",
            count(source.base->tensors().size() - replaced.size(), "other tensor") + " equal byte for byte",
            second ? "written as gptq_v2: some zero is 0, which gptq (v1) cannot hold" : "written as gptq (v1)"};
}

}  // namespace

std::vector<std::string> verify(const PackSource& source, PackFormat format,
                                const std::filesystem::path& path, Meter meter, std::stop_token stop) {
    if (format == PackFormat::dense) return verifyDense(source, path, meter, stop);
    if (format == PackFormat::gptq) return verifyGptq(source, path, meter, stop);
    const bool torch = format == PackFormat::owqPth;
    const auto replaced = replacedWeights(source);
    const auto file = PackedModel::open(path);
    if (file->linears().size() != replaced.size()) differs("number of packed linears", "", path);
    std::set<std::string> types;
    size_t others = 0, rounded = 0;
    for (const TensorInfo& t : source.base->tensors()) {
        meter.next(t.name, stop);
        const auto it = replaced.find(t.name);
        if (it != replaced.end()) {
            const LinearShape& s = *it->second;
            const DType type = torch ? torchType(source) : storedType(source, s.name);
            types.insert(std::string(name(type)));
            compareLinear(source.linear(s.name), file->linear(torch ? torchName(source, s.name) : s.name),
                          type, s.name, path);
            continue;
        }
        const Tensor base = source.base->read(t.name);
        const Tensor expected = torch ? asType(base, torchType(source)) : base;
        if (!identical(expected, file->tensor(torch ? torchName(source, t.name) : t.name)))
            differs("values", t.name, path);
        ++(expected.dtype == base.dtype ? others : rounded);
    }
    std::string type;
    for (const std::string& t : types) type += (type.empty() ? "" : ", ") + t;
    std::vector<std::string> report{
        count(replaced.size(), "packed linear") + ": codes, zeros and weak columns equal",
        "scales and weak weights equal after rounding to " + type};
    if (others) report.push_back(count(others, "other tensor") + " equal byte for byte");
    if (rounded) report.push_back(count(rounded, "other tensor") + " equal after rounding to " + type);
    return report;
}

}  // namespace owq::packing
