// SPDX-License-Identifier: Apache-2.0
#include "core/pack/packed_linear.h"

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/base/transpose.h"
#include "core/pack/kept_columns.h"
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

/// The zero that fills the slot of each weak column: [rows, k].
std::vector<float> weakZeros(const QuantizedLinear& q) {
    const size_t rows = size_t(q.rows), k = q.weakColumns.size(), groups = size_t(q.groups());
    const std::vector<int32_t> grid = gridOfColumns(q);
    std::vector<float> zeros(rows * k);
    for (size_t r = 0; r < rows; ++r)
        for (size_t j = 0; j < k; ++j) zeros[r * k + j] = q.zero[r * groups + size_t(grid[size_t(q.weakColumns[j])])];
    return zeros;
}

void checkPackable(const QuantizedLinear& q) {
    const char* other = "Export as dense instead";
    if (!isPackedWidth(q.bits))
        throw Error("has " + std::to_string(q.bits) + "-bit codes; the packed format holds 2, 3, 4 and 8 bit", {},
                    other);
    if (q.rows < 2 || q.rows % 2)
        throw Error("has " + std::to_string(q.rows) + " rows; the packed formats need an even number", {},
                    other);
    if (q.columns < 32 || q.columns % 32)
        throw Error("has " + std::to_string(q.columns) + " columns; the packed formats need a multiple of 32",
                    {}, other);
    const size_t rows = size_t(q.rows), columns = size_t(q.columns), k = q.weakColumns.size();
    if (q.groupSize < 0 || q.codes.size() != rows * columns || q.scale.size() != rows * size_t(q.groups()) ||
        q.zero.size() != q.scale.size() || q.weakWeight.size() != rows * k)
        throw Error("is inconsistent: sizes of codes, scale, zero or weak weights do not fit its shape");
    const int last = (1 << q.bits) - 1;
    for (uint8_t c : q.codes)
        if (c > last) throw Error("holds a code above " + std::to_string(last));
    for (float z : q.zero) {
        if (!(z >= 0 && z <= last && z == std::floor(z)))
            throw Error("has a zero that is not a whole number of 0…" + std::to_string(last), {}, other);
        if (q.symmetric && z != float(1 << (q.bits - 1)))
            throw Error("has a zero other than " + std::to_string(1 << (q.bits - 1)) + " in a symmetric grid");
    }
    for (size_t j = 0; j < k; ++j)
        if (q.weakColumns[j] < 0 || q.weakColumns[j] >= q.columns || (j && q.weakColumns[j] <= q.weakColumns[j - 1]))
            throw Error("has weak columns that are not ascending or out of range");
    if (k == columns) throw Error("has nothing but weak columns", {}, other);
    const std::vector<float> zeros = weakZeros(q);
    for (size_t r = 0; r < rows; ++r)
        for (size_t j = 0; j < k; ++j)
            if (q.codes[r * columns + size_t(q.weakColumns[j])] != zeros[r * k + j])
                throw Error("has a code other than the row's zero in weak column " + std::to_string(q.weakColumns[j]));
}

Tensor packZeros(const QuantizedLinear& q) {
    const int64_t groups = q.groups();
    std::vector<uint8_t> zeros;
    if (q.bits > 4) {
        zeros.assign(q.zero.begin(), q.zero.end());
        return Tensor::u8({q.rows, groups}, std::move(zeros));
    }
    zeros.resize(size_t(q.rows / 2 * groups));
    for (int64_t i = 0; i < q.rows / 2; ++i)
        for (int64_t g = 0; g < groups; ++g)
            zeros[size_t(i * groups + g)] =
                uint8_t(int(q.zero[size_t(2 * i * groups + g)]) | int(q.zero[size_t((2 * i + 1) * groups + g)]) << 4);
    return Tensor::u8({q.rows / 2, groups}, std::move(zeros));
}

/// [rows, groups], each checked against the width of the codes.
std::vector<float> unpackZeros(const Tensor& tensor, const QuantizedLinear& q, const std::string& where) {
    const int64_t groups = q.groups();
    const bool halves = q.bits <= 4;
    checkShape(tensor, "zeros", DType::u8, {halves ? q.rows / 2 : q.rows, groups}, where);
    std::vector<float> zeros(size_t(q.rows * groups));
    const int last = (1 << q.bits) - 1;
    for (int64_t r = 0; r < q.rows; ++r)
        for (int64_t g = 0; g < groups; ++g) {
            const int zero = halves ? int(tensor.data[r / 2 * groups + g]) >> (r % 2 * 4) & 15 : int(tensor.data[r * groups + g]);
            if (zero > last)
                throw Error("holds " + std::to_string(zero) + ", above " + std::to_string(last), where + ".zeros");
            if (q.symmetric && zero != 1 << (q.bits - 1))
                throw Error("holds " + std::to_string(zero) + " where a symmetric grid has " + std::to_string(1 << (q.bits - 1)),
                            where + ".zeros");
            zeros[size_t(r * groups + g)] = float(zero);
        }
    return zeros;
}

void unpackWeak(const PackedLinear& packed, QuantizedLinear& q, const std::string& where) {
    const int64_t k = packed.outlieridx.count();
    if (k >= q.columns) throw Error("names as many weak columns as there are columns", where + ".outlieridx");
    if (k) checkShape(packed.outlieridx, "outlieridx", DType::i32, {k}, where);
    if (!floating16or32(packed.oweight.dtype))
        throw Error("is " + std::string(name(packed.oweight.dtype)), where + ".oweight");
    // Older files of the authors hold it as [rows, k].
    const bool rowsFirst = k && k != q.rows && packed.oweight.shape == std::vector<int64_t>{q.rows, k};
    if (!rowsFirst) checkShape(packed.oweight, "oweight", packed.oweight.dtype, {k, q.rows}, where);
    if (!k) return;
    q.weakColumns.resize(size_t(k));
    std::memcpy(q.weakColumns.data(), packed.outlieridx.data, size_t(k) * sizeof(int32_t));
    q.weakWeight = finiteValues(packed.oweight, "oweight", where);
    q.weakType = packed.oweight.dtype;
    if (!rowsFirst) q.weakWeight = transposed(q.weakWeight, k, q.rows);
    for (size_t j = 0; j < size_t(k); ++j)
        if (q.weakColumns[j] < 0 || q.weakColumns[j] >= q.columns || (j && q.weakColumns[j] <= q.weakColumns[j - 1]))
            throw Error("is not ascending or names a column that does not exist", where + ".outlieridx");
}

/// Codes of either layout, in the form that the latency-favoured one has.
void unpackCodes(const PackedLinear& packed, QuantizedLinear& q, const std::string& where) {
    const int64_t k = int64_t(q.weakColumns.size());
    const std::vector<float> zeros = weakZeros(q);
    if (packed.layout == PackLayout::storage) {
        checkShape(packed.qweight, "qweight", DType::u8, {q.columns - k, (q.rows * q.bits + 7) / 8}, where);
        q.codes.resize(size_t(q.rows) * size_t(q.columns));
        packing::unpackLines(reinterpret_cast<const uint8_t*>(packed.qweight.data), q.rows, q.columns, q.bits,
                             packing::keptColumns(q.columns, q.weakColumns), q.codes.data());
        for (int64_t r = 0; r < q.rows; ++r)
            for (int64_t j = 0; j < k; ++j)
                q.codes[size_t(r * q.columns + q.weakColumns[size_t(j)])] = uint8_t(zeros[size_t(r * k + j)]);
        return;
    }
    checkShape(packed.qweight, "qweight", DType::i32, {q.columns / 32 * q.bits, q.rows}, where);
    std::vector<int32_t> words(size_t(packed.qweight.count()));
    std::memcpy(words.data(), packed.qweight.data, words.size() * sizeof(int32_t));
    q.codes.resize(size_t(q.rows) * size_t(q.columns));
    kernels::unpackCodes(words.data(), q.rows, q.columns, q.bits, q.codes.data());
    for (int64_t r = 0; r < q.rows; ++r)
        for (int64_t j = 0; j < k; ++j)
            if (q.codes[size_t(r * q.columns + q.weakColumns[size_t(j)])] != zeros[size_t(r * k + j)])
                throw Error("holds a code other than the row's zero in weak column " + std::to_string(q.weakColumns[size_t(j)]),
                            where + ".qweight");
}

}  // namespace

PackedLinear pack(const QuantizedLinear& linear, DType type, PackLayout layout) {
    if (!floating16or32(type)) throw Error("scales cannot be stored as " + std::string(name(type)));
    checkPackable(linear);
    const int64_t rows = linear.rows, columns = linear.columns, k = int64_t(linear.weakColumns.size());
    PackedLinear packed;
    packed.bits = linear.bits;
    packed.groupSize = linear.groupSize;
    packed.symmetric = linear.symmetric;
    packed.layout = layout;
    if (layout == PackLayout::storage) {
        packed.qweight = Tensor::u8({columns - k, (rows * linear.bits + 7) / 8},
                                    packing::packLines(linear.codes, rows, columns, linear.bits,
                                                       packing::keptColumns(columns, linear.weakColumns)));
    } else {
        std::vector<int32_t> words(size_t(columns / 32 * linear.bits * rows));
        kernels::packCodes(linear.codes.data(), rows, columns, linear.bits, words.data());
        packed.qweight = Tensor::i32({columns / 32 * linear.bits, rows}, std::move(words));
    }
    packed.scales = stored(type, {rows, linear.groups()}, linear.scale, "scale");
    packed.zeros = packZeros(linear);
    packed.oweight = stored(type, {k, rows}, transposed(linear.weakWeight, rows, k), "weak weight");
    packed.outlieridx = k ? Tensor::i32({k}, linear.weakColumns) : Tensor::f32({0}, {});
    return packed;
}

QuantizedLinear unpack(const PackedLinear& packed, int64_t rows, int64_t columns, const std::string& where) {
    if (!isPackedWidth(packed.bits))
        throw Error(std::to_string(packed.bits) + "-bit packed weights are not supported", where);
    if (rows < 2 || rows % 2 || columns < 32 || columns % 32)
        throw Error(
            "a packed weight of " + std::to_string(rows) + " x " + std::to_string(columns) + " is impossible",
            where);
    QuantizedLinear q;
    q.rows = rows, q.columns = columns, q.bits = packed.bits;
    q.groupSize = packed.groupSize, q.symmetric = packed.symmetric;
    if (q.groupSize < 0 || q.groupSize > columns)
        throw Error("groups of " + std::to_string(q.groupSize) + " columns are impossible", where);
    if (!floating16or32(packed.scales.dtype))
        throw Error("is " + std::string(name(packed.scales.dtype)), where + ".scales");
    checkShape(packed.scales, "scales", packed.scales.dtype, {rows, q.groups()}, where);
    q.scale = finiteValues(packed.scales, "scales", where);
    q.zero = unpackZeros(packed.zeros, q, where);
    unpackWeak(packed, q, where);
    unpackCodes(packed, q, where);
    return q;
}

}  // namespace owq
