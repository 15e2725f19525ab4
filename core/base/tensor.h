// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace owq {

enum class DType : uint8_t { boolean, u8, i8, u16, i16, u32, i32, u64, i64, f8_e4m3, f8_e5m2, f16, bf16, f32, f64 };

size_t byteSize(DType type);
/// The safetensors spelling: "F16", "BF16", "I32", …
std::string_view name(DType type);
/// Throws Error on an unknown spelling.
DType dtypeFromName(std::string_view name);

/// Row-major host tensor. Immutable and shared: copies are cheap, the bytes live as long as any copy
/// (a mapped file, a buffer). `data` may be misaligned for its dtype when it points into a file.
struct Tensor {
    DType dtype = DType::f32;
    std::vector<int64_t> shape;
    const std::byte* data = nullptr;
    std::shared_ptr<const void> owner;

    int64_t count() const;  ///< number of elements; 1 for a scalar
    size_t bytes() const { return size_t(count()) * byteSize(dtype); }

    /// Takes the vector's memory.
    template <class T>
    static Tensor from(DType type, std::vector<int64_t> shape, std::vector<T> values) {
        auto held = std::make_shared<const std::vector<T>>(std::move(values));
        return {type, std::move(shape), reinterpret_cast<const std::byte*>(held->data()), held};
    }
    static Tensor f32(std::vector<int64_t> shape, std::vector<float> v) { return from(DType::f32, std::move(shape), std::move(v)); }
    static Tensor i32(std::vector<int64_t> shape, std::vector<int32_t> v) { return from(DType::i32, std::move(shape), std::move(v)); }
    static Tensor u8(std::vector<int64_t> shape, std::vector<uint8_t> v) { return from(DType::u8, std::move(shape), std::move(v)); }
    /// Rounds float values to `type` (f16, bf16, f32), half to even.
    static Tensor rounded(DType type, std::vector<int64_t> shape, std::span<const float> values);

    /// Elements as float (any float or integer dtype; large integers round). Throws Error for boolean or 8-bit floats.
    std::vector<float> toFloat() const;
    /// Elements as 64-bit integers. Throws Error unless the dtype is an integer.
    std::vector<int64_t> toInteger() const;
};

/// "[2, 3]"
std::string shapeText(std::span<const int64_t> shape);

}  // namespace owq
