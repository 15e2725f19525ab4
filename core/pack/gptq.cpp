// SPDX-License-Identifier: Apache-2.0
#include "core/pack/gptq.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/base/transpose.h"
#include "kernels/packing.h"

namespace owq {
namespace {

constexpr int64_t kWordCodes = 32;  // codes that fill whole words, whatever their width

std::vector<int32_t> packedAlongColumns(const std::vector<uint8_t>& codes, int64_t rows, int64_t columns, int bits) {
    std::vector<int32_t> words(size_t(columns / kWordCodes * bits * rows));
    kernels::packCodes(codes.data(), rows, columns, bits, words.data());
    return words;
}

Tensor checked(const Tensor& tensor, DType type, const std::vector<int64_t>& shape, const char* what, const std::string& where) {
    if (tensor.dtype != type || tensor.shape != shape)
        throw Error(std::string(what) + " is " + std::string(name(tensor.dtype)) + " " + shapeText(tensor.shape) + ", not " +
                        std::string(name(type)) + " " + shapeText(shape),
                    where);
    return tensor;
}

std::vector<int32_t> integers(const Tensor& tensor) {
    const std::vector<int64_t> wide = tensor.toInteger();
    return {wide.begin(), wide.end()};
}

}  // namespace

void checkGptq(const LinearShape& s) {
    const char* remedy = "Export as owq or dense instead";
    if (s.weakColumns)
        throw Error("has " + std::to_string(s.weakColumns) + " weak columns; a GPTQ file holds none", s.name,
                    "Export as owq or dense instead, or quantize with the method optq or rtn");
    if (!isPackedWidth(s.bits) || s.rows % kWordCodes || s.columns % kWordCodes)
        throw Error("has " + std::to_string(s.bits) + " bits and is " + std::to_string(s.rows) + " x " + std::to_string(s.columns) +
                        "; a GPTQ file holds 2, 3, 4 or 8 bits, and rows and columns that are multiples of 32",
                    s.name, remedy);
    if (s.groupSize && s.columns % s.groupSize)
        throw Error("has groups of " + std::to_string(s.groupSize) + " columns that do not divide its " + std::to_string(s.columns), s.name, remedy);
}

std::vector<TensorPlan> gptqPlan(const LinearShape& s) {
    return {{s.name + ".qweight", DType::i32, {s.columns / kWordCodes * s.bits, s.rows}},
            {s.name + ".qzeros", DType::i32, {s.groups(), s.rows / kWordCodes * s.bits}},
            {s.name + ".scales", DType::f16, {s.groups(), s.rows}},
            {s.name + ".g_idx", DType::i32, {s.columns}}};
}

GptqLinear packGptq(const QuantizedLinear& q, GptqVersion version) {
    const int64_t groups = q.groups();
    GptqLinear packed;
    packed.qweight = Tensor::i32({q.columns / kWordCodes * q.bits, q.rows}, packedAlongColumns(q.codes, q.rows, q.columns, q.bits));
    const int less = version == GptqVersion::v1 ? 1 : 0;
    std::vector<uint8_t> zeros;
    for (const float zero : q.zero) {
        if (zero < float(less)) throw Error("has a zero of 0, which this version of GPTQ's format cannot hold");
        zeros.push_back(uint8_t(zero - float(less)));
    }
    const std::vector<int32_t> words = packedAlongColumns(transposed(zeros, q.rows, groups), groups, q.rows, q.bits);
    packed.qzeros = Tensor::i32({groups, q.rows / kWordCodes * q.bits}, transposed(words, q.rows / kWordCodes * q.bits, groups));
    packed.scales = Tensor::rounded(DType::f16, {groups, q.rows}, transposed(q.scale, q.rows, groups));
    for (const float scale : packed.scales.toFloat())
        if (!std::isfinite(scale)) throw Error("has a scale that does not fit F16");
    packed.groupOf = Tensor::i32({q.columns}, gridOfColumns(q));
    return packed;
}

QuantizedLinear unpackGptq(const GptqLinear& packed, const LinearShape& s, GptqVersion version, const std::string& where) {
    const std::vector<TensorPlan> plan = gptqPlan(s);
    const std::vector<int32_t> codes = integers(checked(packed.qweight, DType::i32, plan[0].shape, "qweight", where));
    const std::vector<int32_t> zeros = integers(checked(packed.qzeros, DType::i32, plan[1].shape, "qzeros", where));
    const std::vector<float> scales = checked(packed.scales, DType::f16, plan[2].shape, "scales", where).toFloat();
    const std::vector<int32_t> groupOf = integers(checked(packed.groupOf, DType::i32, plan[3].shape, "g_idx", where));
    QuantizedLinear q;
    q.rows = s.rows;
    q.columns = s.columns;
    q.bits = s.bits;
    q.groupSize = s.groupSize;
    q.symmetric = s.symmetric;
    q.codes.resize(size_t(q.rows * q.columns));
    kernels::unpackCodes(codes.data(), q.rows, q.columns, q.bits, q.codes.data());
    const int64_t groups = q.groups();
    std::vector<uint8_t> unpacked(size_t(groups * q.rows));
    kernels::unpackCodes(transposed(zeros, groups, q.rows / kWordCodes * q.bits).data(), groups, q.rows, q.bits, unpacked.data());
    const float more = version == GptqVersion::v1 ? 1 : 0;
    for (const uint8_t zero : transposed(unpacked, groups, q.rows)) q.zero.push_back(float(zero) + more);
    q.scale = transposed(scales, groups, q.rows);
    if (groupOf != gridOfColumns(q)) throw Error("g_idx orders groups in another way", where);
    return q;
}

bool fitsGptqV1(const QuantizedLinear& q) {
    return std::none_of(q.zero.begin(), q.zero.end(), [](float zero) { return zero < 1; });
}

Json gptqConfig(const LinearShape& s, GptqVersion version) {
    return {{"quant_method", "gptq"},
            {"bits", s.bits},
            {"group_size", s.groupSize ? s.groupSize : -1},
            {"desc_act", false},
            {"sym", s.symmetric},
            {"lm_head", false},
            {"checkpoint_format", version == GptqVersion::v1 ? "gptq" : "gptq_v2"}};
}

}  // namespace owq
