// SPDX-License-Identifier: Apache-2.0
#include "core/base/tensor.h"

#include <array>

#include "core/base/error.h"
#include "core/base/half.h"

namespace owq {
namespace {

struct DTypeFact {
    std::string_view name;
    size_t bytes;
};
constexpr std::array<DTypeFact, 15> kFacts{{{"BOOL", 1}, {"U8", 1}, {"I8", 1}, {"U16", 2}, {"I16", 2},
    {"U32", 4}, {"I32", 4}, {"U64", 8}, {"I64", 8}, {"F8_E4M3", 1}, {"F8_E5M2", 1}, {"F16", 2}, {"BF16", 2},
    {"F32", 4}, {"F64", 8}}};

// memcpy: file data may be misaligned.
template <class Stored, class Out, class Convert>
std::vector<Out> converted(const Tensor& t, Convert convert) {
    std::vector<Out> out(size_t(t.count()));
    for (size_t i = 0; i < out.size(); ++i) {
        Stored v;
        std::memcpy(&v, t.data + i * sizeof(Stored), sizeof(Stored));
        out[i] = convert(v);
    }
    return out;
}

template <class Out>
std::vector<Out> integers(const Tensor& t) {
    auto cast = [](auto v) { return Out(v); };
    switch (t.dtype) {
        case DType::u8: return converted<uint8_t, Out>(t, cast);
        case DType::i8: return converted<int8_t, Out>(t, cast);
        case DType::u16: return converted<uint16_t, Out>(t, cast);
        case DType::i16: return converted<int16_t, Out>(t, cast);
        case DType::u32: return converted<uint32_t, Out>(t, cast);
        case DType::i32: return converted<int32_t, Out>(t, cast);
        case DType::u64: return converted<uint64_t, Out>(t, cast);
        case DType::i64: return converted<int64_t, Out>(t, cast);
        default: throw Error("tensor of type " + std::string(name(t.dtype)) + " does not hold integers");
    }
}

}  // namespace

size_t byteSize(DType type) { return kFacts[size_t(type)].bytes; }
std::string_view name(DType type) { return kFacts[size_t(type)].name; }

DType dtypeFromName(std::string_view name) {
    for (size_t i = 0; i < kFacts.size(); ++i)
        if (kFacts[i].name == name) return DType(i);
    throw Error("unknown element type \"" + std::string(name.substr(0, 40)) + "\"");
}

int64_t Tensor::count() const {
    int64_t n = 1;
    for (int64_t d : shape) n *= d;
    return n;
}

Tensor Tensor::rounded(DType type, std::vector<int64_t> shape, std::span<const float> values) {
    if (type == DType::f32) return f32(std::move(shape), {values.begin(), values.end()});
    if (type != DType::f16 && type != DType::bf16) throw Error("cannot round to " + std::string(name(type)));
    std::vector<uint16_t> out(values.size());
    for (size_t i = 0; i < out.size(); ++i)
        out[i] = type == DType::f16 ? floatToHalf(values[i]) : floatToBfloat16(values[i]);
    return from(type, std::move(shape), std::move(out));
}

std::vector<float> Tensor::toFloat() const {
    switch (dtype) {
        case DType::f16: return converted<uint16_t, float>(*this, halfToFloat);
        case DType::bf16: return converted<uint16_t, float>(*this, bfloat16ToFloat);
        case DType::f32: return converted<float, float>(*this, [](float v) { return v; });
        case DType::f64: return converted<double, float>(*this, [](double v) { return float(v); });
        default: return integers<float>(*this);
    }
}

std::vector<int64_t> Tensor::toInteger() const { return integers<int64_t>(*this); }

std::string shapeText(std::span<const int64_t> shape) {
    std::string text = "[";
    for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
    return text + "]";
}

}  // namespace owq
