// SPDX-License-Identifier: Apache-2.0
// The `owq` and `dense` folders.
#include "core/base/error.h"
#include "core/base/file.h"
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

std::vector<TensorPlan> packedPlan(const LinearShape& s, DType type) {
    return {{s.name + ".qweight", DType::i32, {s.columns / 32 * s.bits, s.rows}},
            {s.name + ".scales", type, {s.rows, 1}},
            {s.name + ".oweight", type, {s.weakColumns, s.rows}},
            {s.name + ".outlieridx", s.weakColumns ? DType::i32 : DType::f32, {s.weakColumns}},
            {s.name + ".zeros", DType::u8, {s.rows / 2, 1}}};
}

std::vector<TensorPlan> planned(const PackSource& source, PackFormat format) {
    const auto replaced = replacedWeights(source);
    std::vector<TensorPlan> plan;
    for (const TensorInfo& t : source.base->tensors()) {
        const auto it = replaced.find(t.name);
        if (it == replaced.end() || format == PackFormat::dense)
            plan.push_back({t.name, t.dtype, t.shape});
        else
            for (TensorPlan& p : packedPlan(*it->second, storedType(source, it->second->name)))
                plan.push_back(std::move(p));
    }
    return plan;
}

Json config(const PackSource& source, PackFormat format) {
    Json config = source.base->config();
    config.erase("quantization_config");
    if (format == PackFormat::dense) return config;
    int bits = source.linears.front().bits;
    for (const LinearShape& s : source.linears) bits = std::min(bits, s.bits);
    Json quantization{{"quant_method", "owq"}, {"bits", bits}, {"layout", "latency"}};
    if (source.targetBits > 0) quantization["target_bits"] = source.targetBits;
    for (const LinearShape& s : source.linears)
        if (s.bits != bits) quantization["linear_bits"][s.name] = s.bits;
    config["quantization_config"] = std::move(quantization);
    return config;
}

}  // namespace

void writeFolder(const PackSource& source, PackFormat format, const std::filesystem::path& folder,
                 Meter meter, std::stop_token stop) {
    const auto replaced = replacedWeights(source);
    ShardedStream out(folder, planned(source, format));
    for (const TensorInfo& t : source.base->tensors()) {
        meter.next(t.name, stop);
        const auto it = replaced.find(t.name);
        if (it == replaced.end()) {
            out.write(t.name, source.base->read(t.name));
            continue;
        }
        const std::string& name = it->second->name;
        const QuantizedLinear linear = source.linear(name);
        try {
            if (format == PackFormat::dense) {
                out.write(t.name, Tensor::rounded(t.dtype, t.shape, dequantize(linear)));
                continue;
            }
            const PackedLinear p = pack(linear, storedType(source, name));
            out.write(name + ".qweight", p.qweight);
            out.write(name + ".scales", p.scales);
            out.write(name + ".oweight", p.oweight);
            out.write(name + ".outlieridx", p.outlieridx);
            out.write(name + ".zeros", p.zeros);
        } catch (const Error& e) {
            if (!e.where().empty()) throw;
            throw Error(e.happened(), name, e.remedy());
        }
    }
    out.commit();
    std::error_code ignored;
    for (const char* file : kCopied)
        if (std::filesystem::is_regular_file(source.base->folder() / file, ignored))
            writeText(folder / file, readText(source.base->folder() / file));
    writeJson(folder / "config.json", config(source, format));
}

uint64_t forecastBytes(const PackSource& source, PackFormat format) {
    uint64_t bytes = 32u << 20;  // headers, tokenizer files, index
    for (const TensorPlan& p : planned(source, format)) bytes += p.bytes();
    // The authors' file is put together from packed weights that lie beside it until it is done.
    if (format == PackFormat::owqPth)
        for (const LinearShape& s : source.linears)
            bytes += packedBytes(s.rows, s.columns, s.bits, s.weakColumns);
    return bytes;
}

}  // namespace owq::packing
