// SPDX-License-Identifier: Apache-2.0
// The `owq`, `dense` and `gptq` folders.
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/pack/gptq.h"
#include "core/pack/tensor_stream.h"
#include "core/pack/writing.h"

namespace owq::packing {
namespace {

constexpr const char* kCopied[] = {"tokenizer.json",
                                   "tokenizer.model",
                                   "tokenizer_config.json",
                                   "special_tokens_map.json",
                                   "added_tokens.json",
                                   "vocab.json",
                                   "merges.txt",
                                   "vocab.txt",
                                   "spiece.model",
                                   "sentencepiece.bpe.model",
                                   "chat_template.jinja",
                                   "chat_template.json",
                                   "generation_config.json",
                                   "LICENSE",
                                   "LICENSE.txt",
                                   "LICENSE.md",
                                   "NOTICE",
                                   "USE_POLICY.md"};

std::vector<TensorPlan> linearPlan(const PackSource& source, PackTarget target, const LinearShape& linear) {
    return target.format == PackFormat::gptq ? gptqPlan(linear) : packedPlan(linear, storedType(source, linear.name), target.layout);
}

std::vector<TensorPlan> planned(const PackSource& source, PackTarget target) {
    const auto replaced = replacedWeights(source);
    std::vector<TensorPlan> plan;
    for (const TensorInfo& t : source.base->tensors()) {
        const auto it = replaced.find(t.name);
        if (it == replaced.end() || target.format == PackFormat::dense)
            plan.push_back({t.name, t.dtype, t.shape});
        else
            for (TensorPlan& p : linearPlan(source, target, *it->second))
                plan.push_back(std::move(p));
    }
    return plan;
}

Json config(const PackSource& source, PackTarget target) {
    Json config = source.base->config();
    config.erase("quantization_config");
    if (target.format == PackFormat::dense || target.format == PackFormat::gptq) return config;
    int bits = source.linears.front().bits;
    for (const LinearShape& s : source.linears) bits = std::min(bits, s.bits);
    Json quantization{{"quant_method", "owq"}, {"bits", bits}, {"layout", packLayoutName(target.layout)}};
    if (source.linears.front().groupSize) quantization["group_size"] = source.linears.front().groupSize;
    if (source.linears.front().symmetric) quantization["symmetric"] = true;
    if (source.targetBits > 0) quantization["target_bits"] = source.targetBits;
    for (const LinearShape& s : source.linears)
        if (s.bits != bits) quantization["linear_bits"][s.name] = s.bits;
    config["quantization_config"] = std::move(quantization);
    return config;
}

/// One pass over all zeros decides for the whole file.
GptqVersion gptqVersion(const PackSource& source, const std::stop_token& stop) {
    for (const LinearShape& s : source.linears) {
        checkStop(stop);
        if (!fitsGptqV1(source.linear(s.name))) return GptqVersion::v2;
    }
    return GptqVersion::v1;
}

void writeGptq(const PackSource& source, const std::string& name, GptqVersion version, ShardedStream& out) {
    try {
        const GptqLinear p = packGptq(source.linear(name), version);
        out.write(name + ".qweight", p.qweight);
        out.write(name + ".qzeros", p.qzeros);
        out.write(name + ".scales", p.scales);
        out.write(name + ".g_idx", p.groupOf);
    } catch (const Error& e) {
        if (!e.where().empty()) throw;
        throw Error(e.happened(), name, e.remedy());
    }
}

}  // namespace

void writeFolder(const PackSource& source, PackTarget target, const std::filesystem::path& folder,
                 Meter meter, std::stop_token stop) {
    const auto replaced = replacedWeights(source);
    const bool gptq = target.format == PackFormat::gptq;
    const GptqVersion version = gptq ? gptqVersion(source, stop) : GptqVersion::v1;
    ShardedStream out(folder, planned(source, target));
    for (const TensorInfo& t : source.base->tensors()) {
        meter.next(t.name, stop);
        const auto it = replaced.find(t.name);
        if (it == replaced.end()) {
            out.write(t.name, source.base->read(t.name));
            continue;
        }
        const std::string& name = it->second->name;
        if (target.format == PackFormat::dense)
            out.write(t.name, denseWeight(source, t, name));
        else if (gptq)
            writeGptq(source, name, version, out);
        else
            writePacked(source, name, storedType(source, name), target.layout,
                        [&](const std::string& tensor, const Tensor& value) { out.write(tensor, value); });
    }
    out.commit();
    std::error_code ignored;
    for (const char* file : kCopied)
        if (std::filesystem::is_regular_file(source.base->folder() / file, ignored))
            writeText(folder / file, readText(source.base->folder() / file));
    Json written = config(source, target);
    if (gptq) {
        written["quantization_config"] = gptqConfig(source.linears.front(), version);
        writeJson(folder / "quantize_config.json", written["quantization_config"]);  // where older programs look
    }
    writeJson(folder / "config.json", written);
}

uint64_t forecastBytes(const PackSource& source, PackTarget target) {
    uint64_t bytes = 32u << 20;  // headers, tokenizer files, index
    for (const TensorPlan& p : planned(source, target)) bytes += p.bytes();
    // The authors' file is put together from packed weights that lie beside it until it is done.
    if (target.format == PackFormat::owqPth)
        for (const LinearShape& s : source.linears) bytes += packedBytes(s, torchType(source));
    return bytes;
}

}  // namespace owq::packing
