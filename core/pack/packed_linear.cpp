// SPDX-License-Identifier: Apache-2.0
#include "core/pack/packed_linear.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "kernels/packing.h"

namespace owq {
namespace {

bool floating16or32(DType type) {
    return type == DType::f16 || type == DType::bf16 || type == DType::f32;
}

/// Rounds to the stored type; a value that is finite as float must stay finite.
Tensor stored(DType type, std::vector<int64_t> shape, std::span<const float> values, const char* what) {
    Tensor tensor = Tensor::rounded(type, std::move(shape), values);
    for (float v : tensor.toFloat())
        if (!std::isfinite(v))
            throw Error(std::string(what) + " holds a value that is not finite in " + std::string(name(type)),
                        {}, "Quantize from a checkpoint in a wider type");
    return tensor;
}

void checkShape(const Tensor& tensor, const char* what, DType type, std::initializer_list<int64_t> shape,
                const std::string& where) {
    if (tensor.dtype != type ||
        !std::equal(tensor.shape.begin(), tensor.shape.end(), shape.begin(), shape.end()))
        throw Error("is " + std::string(name(tensor.dtype)) + " " + shapeText(tensor.shape) + ", expected " +
                        std::string(name(type)) + " " + shapeText(std::vector<int64_t>(shape)),
                    where + "." + what);
}

std::vector<float> finiteValues(const Tensor& tensor, const char* what, const std::string& where) {
    std::vector<float> values = tensor.toFloat();
    for (float v : values)
        if (!std::isfinite(v)) throw Error("holds a value that is not finite", where + "." + what);
    return values;
}

/// [rows, k] to [k, rows] or back.
std::vector<float> transposed(const std::vector<float>& values, int64_t rows, int64_t columns) {
    std::vector<float> out(values.size());
    for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < columns; ++c) out[c * rows + r] = values[r * columns + c];
    return out;
}

void checkPackable(const QuantizedLinear& q) {
    const char* other = "Export as dense instead";
    if (q.bits != 3 && q.bits != 4)
        throw Error("has " + std::to_string(q.bits) + "-bit codes; the packed formats hold 3 and 4 bit", {},
                    other);
    if (q.groups() != 1)
        throw Error("has groups of " + std::to_string(q.groupSize) +
                        " columns; the packed formats hold one grid per row",
                    {}, other);
    if (q.symmetric) throw Error("has a symmetric grid; the packed formats hold asymmetric ones", {}, other);
    if (q.rows < 2 || q.rows % 2)
        throw Error("has " + std::to_string(q.rows) + " rows; the packed formats need an even number", {},
                    other);
    if (q.columns < 32 || q.columns % 32)
        throw Error("has " + std::to_string(q.columns) + " columns; the packed formats need a multiple of 32",
                    {}, other);
    const size_t rows = size_t(q.rows), columns = size_t(q.columns), k = q.weakColumns.size();
    if (q.codes.size() != rows * columns || q.scale.size() != rows || q.zero.size() != rows ||
        q.weakWeight.size() != rows * k)
        throw Error("is inconsistent: sizes of codes, scale, zero or weak weights do not fit its shape");
    const int last = (1 << q.bits) - 1;
    for (uint8_t c : q.codes)
        if (c > last) throw Error("holds a code above " + std::to_string(last));
    for (float z : q.zero)
        if (!(z >= 0 && z <= last && z == std::floor(z)))
            throw Error("has a zero that is not a whole number of 0…" + std::to_string(last), {}, other);
    for (size_t j = 0; j < k; ++j) {
        const int32_t c = q.weakColumns[j];
        if (c < 0 || c >= q.columns || (j && c <= q.weakColumns[j - 1]))
            throw Error("has weak columns that are not ascending or out of range");
        for (size_t r = 0; r < rows; ++r)
            if (q.codes[r * columns + c] != q.zero[r])
                throw Error("has a code other than the row's zero in weak column " + std::to_string(c));
    }
}

}  // namespace

PackedLinear pack(const QuantizedLinear& linear, DType type) {
    if (!floating16or32(type)) throw Error("scales cannot be stored as " + std::string(name(type)));
    checkPackable(linear);
    const int64_t rows = linear.rows, columns = linear.columns, k = int64_t(linear.weakColumns.size());
    PackedLinear packed;
    packed.bits = linear.bits;
    std::vector<int32_t> words(size_t(columns / 32 * linear.bits * rows));
    kernels::packCodes(linear.codes.data(), rows, columns, linear.bits, words.data());
    packed.qweight = Tensor::i32({columns / 32 * linear.bits, rows}, std::move(words));
    packed.scales = stored(type, {rows, 1}, linear.scale, "scale");
    std::vector<uint8_t> zeros(size_t(rows / 2));
    for (int64_t i = 0; i < rows / 2; ++i)
        zeros[i] = uint8_t(int(linear.zero[2 * i]) | int(linear.zero[2 * i + 1]) << 4);
    packed.zeros = Tensor::u8({rows / 2, 1}, std::move(zeros));
    packed.oweight = stored(type, {k, rows}, transposed(linear.weakWeight, rows, k), "weak weight");
    packed.outlieridx = k ? Tensor::i32({k}, linear.weakColumns) : Tensor::f32({0}, {});
    return packed;
}

QuantizedLinear unpack(const PackedLinear& packed, int64_t rows, int64_t columns, const std::string& where) {
    const int bits = packed.bits;
    if (bits != 3 && bits != 4)
        throw Error(std::to_string(bits) + "-bit packed weights are not supported", where);
    if (rows < 2 || rows % 2 || columns < 32 || columns % 32)
        throw Error(
            "a packed weight of " + std::to_string(rows) + " x " + std::to_string(columns) + " is impossible",
            where);
    checkShape(packed.qweight, "qweight", DType::i32, {columns / 32 * bits, rows}, where);
    if (!floating16or32(packed.scales.dtype))
        throw Error("is " + std::string(name(packed.scales.dtype)), where + ".scales");
    checkShape(packed.scales, "scales", packed.scales.dtype, {rows, 1}, where);
    checkShape(packed.zeros, "zeros", DType::u8, {rows / 2, 1}, where);
    const int64_t k = packed.outlieridx.count();
    if (k > columns) throw Error("names more weak columns than there are columns", where + ".outlieridx");
    if (k) checkShape(packed.outlieridx, "outlieridx", DType::i32, {k}, where);
    if (!floating16or32(packed.oweight.dtype))
        throw Error("is " + std::string(name(packed.oweight.dtype)), where + ".oweight");
    // Older files of the authors hold it as [rows, k].
    const bool rowsFirst = k && k != rows && packed.oweight.shape == std::vector<int64_t>{rows, k};
    if (!rowsFirst) checkShape(packed.oweight, "oweight", packed.oweight.dtype, {k, rows}, where);

    QuantizedLinear q;
    q.rows = rows, q.columns = columns, q.bits = bits;
    q.scale = finiteValues(packed.scales, "scales", where);
    const int last = (1 << bits) - 1;
    q.zero.resize(size_t(rows));
    for (int64_t r = 0; r < rows; ++r) {
        const int zero = int(packed.zeros.data[r / 2]) >> (r % 2 * 4) & 15;
        if (zero > last)
            throw Error("holds " + std::to_string(zero) + ", above " + std::to_string(last),
                        where + ".zeros");
        q.zero[r] = float(zero);
    }
    std::vector<int32_t> words(size_t(packed.qweight.count()));
    std::memcpy(words.data(), packed.qweight.data, words.size() * sizeof(int32_t));
    q.codes.resize(size_t(rows) * columns);
    kernels::unpackCodes(words.data(), rows, columns, bits, q.codes.data());
    if (k) {
        q.weakColumns.resize(size_t(k));
        std::memcpy(q.weakColumns.data(), packed.outlieridx.data, size_t(k) * sizeof(int32_t));
        q.weakWeight = finiteValues(packed.oweight, "oweight", where);
        if (!rowsFirst) q.weakWeight = transposed(q.weakWeight, k, rows);
    }
    for (int64_t j = 0; j < k; ++j) {
        const int32_t c = q.weakColumns[j];
        if (c < 0 || c >= columns || (j && c <= q.weakColumns[j - 1]))
            throw Error("is not ascending or names a column that does not exist", where + ".outlieridx");
        for (int64_t r = 0; r < rows; ++r)
            if (q.codes[r * columns + c] != q.zero[r])
                throw Error("holds a code other than the row's zero in weak column " + std::to_string(c),
                            where + ".qweight");
    }
    return q;
}

uint64_t packedBytes(int64_t rows, int64_t columns, int bits, int64_t weakColumns, bool storageFavoured) {
    const uint64_t out = uint64_t(rows), in = uint64_t(columns), k = uint64_t(weakColumns);
    const uint64_t codes = ((in - (storageFavoured ? k : 0)) * out * uint64_t(bits) + 7) / 8;
    return codes + out * 2 + (out + 1) / 2 + k * out * 2 + k * 4;
}

}  // namespace owq
