// SPDX-License-Identifier: Apache-2.0
#include "kernels/matvec.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "kernels/cpu/many_inputs.h"
#include "kernels/cpu/packed_table.h"
#include "kernels/thread_pool.h"

namespace owq::kernels {
namespace {

constexpr int64_t kFewestForBlocks = 8;  ///< tokens from which on a matrix unit, which takes 16 at once, should be the faster one; unmeasured
constexpr int64_t kWorkPerRange = 1 << 17;  ///< codes times tokens: below that waking a thread costs more than it saves

int64_t inWhole(int64_t count, int64_t size) { return (count + size - 1) / size; }

/// What Zen's first-level cache finds a line by, from bit 12 of its address on (Lipp et al., Take A Way, 2020): of two lines in the same
/// set with the same value only one is found at once.
uint64_t cacheTag(uint64_t address) {
    const auto bits = [address](int from, int count) { return address >> from & ((uint64_t(1) << count) - 1); };
    uint64_t tag = bits(12, 3) | bits(15, 5) << 3;
    for (int i = 0; i < 3; i++) tag ^= bits(27 - i, 1) << i;
    return tag ^ bits(20, 5) << 3;
}

/// From one of four streams to the next, of so many bytes each, such that their places do not drive each other out of the cache.
int64_t streamStride(int64_t bytes) {
    constexpr int64_t kPage = 4096, kWorthIt = 16 * kPage;
    if (bytes < kWorthIt) return bytes;
    for (int64_t stride = bytes; stride < bytes + kWorthIt; stride += kPage) {
        bool apart = true;
        for (int64_t at = 0; at < bytes && apart; at += kPage)
            for (int64_t a = 0; a < 3; a++)
                for (int64_t b = a + 1; b < 4; b++)
                    if ((b - a) * stride % kPage == 0) apart = apart && cacheTag(uint64_t(a * stride + at)) != cacheTag(uint64_t(b * stride + at));
        if (apart) return stride;
    }
    return bytes;
}

/// Whether a number is one of 16 bits, which is then put into `half`.
bool asHalf(float value, uint16_t& half) {
    const uint32_t bits = std::bit_cast<uint32_t>(value), mantissa = bits & 0x7fffff;
    const int exponent = int(bits >> 23 & 0xff) - 127;
    const auto sign = uint16_t(bits >> 16 & 0x8000);
    if (exponent >= -14 && exponent <= 15) {
        half = uint16_t(sign | (exponent + 15) << 10 | mantissa >> 13);
        return (mantissa & 0x1fff) == 0;
    }
    const float steps = std::abs(value) * 0x1p24f;  // subnormal ones are multiples of 2^-24
    half = uint16_t(sign | (steps < 1024 ? int(steps) : 0));
    return steps < 1024 && steps == std::floor(steps);
}

bool asBfloat(float value, uint16_t& half) {
    const auto bits = std::bit_cast<uint32_t>(value);
    half = uint16_t(bits >> 16);
    return (bits & 0xffff) == 0;
}

float widened(const uint8_t* at, StoredType type) {
    uint32_t bits = 0;
    std::memcpy(&bits, at, size_t(bytesOf(type)));
    if (type == StoredType::f32) return std::bit_cast<float>(bits);
    if (type == StoredType::bf16) return std::bit_cast<float>(bits << 16);
    return std::bit_cast<float>((bits & 0x7fff) << 13 | (bits & 0x8000) << 16) * 0x1p112f;  // the exponents' biases are 112 apart
}

/// Calls what(first, kept, count) for each run of columns between weak ones: first in the whole matrix, kept among those not weak.
template <class What>
void eachRun(const std::vector<int32_t>& weak, int64_t columns, const What& what) {
    int64_t first = 0, kept = 0;
    for (size_t j = 0; j <= weak.size(); j++) {
        const int64_t end = j < weak.size() ? weak[j] : columns;
        what(first, kept, end - first);
        kept += end - first;
        first = end + 1;
    }
}

}  // namespace

/// Inputs of up to kPackedTokens tokens as the inner loop wants them, weak ones apart: being the largest activations they would spoil
/// the rounding of the others.
struct PackedMatrix::Staged {
    Staged(const PackedMatrix& m, const float* in, int64_t tokens, Activations activations)
        : weak(tokens * m.weakCount()), sums(tokens * m.groups_) {
        const PackedTable& table = packedTable();
        const int64_t units = m.units(), fields = units * kUnitFields;
        const bool exact = activations == Activations::exact;
        if (exact) {
            x = FloatBuffer(units * tokens * kUnitColumns);
        } else {
            values = FloatBuffer(units * tokens * 2 * kUnitColumns / int64_t(sizeof(float)));
            scale = FloatBuffer(units * tokens * 2);
            rounded = {reinterpret_cast<int8_t*>(values.data()), scale.data()};
        }
        sums.clear();
        FloatBuffer fieldSums(fields), kept(units * kUnitColumns);
        for (int64_t t = 0; t < tokens; t++) {
            m.gather(in + t * m.columns_, kept.data(), weak.data() + t * m.weakCount());
            if (exact) {
                for (int64_t u = 0; u < units; u++) std::copy_n(kept.data() + u * kUnitColumns, kUnitColumns, x.data() + (u * tokens + t) * kUnitColumns);
                table.fieldSums(kept.data(), fields, fieldSums.data());
            } else {
                table.roundInputs(kept.data(), units, t, tokens, activations == Activations::doubleInt8, rounded, fieldSums.data());
            }
            m.addFields(fieldSums.data(), sums.data() + t * m.groups_);
        }
    }
    FloatBuffer x, values, scale, weak, sums;
    RoundedInputs rounded{};
};

void PackedMatrix::gather(const float* x, float* kept, float* weak) const {
    eachRun(weakColumns_, columns_, [&](int64_t first, int64_t at, int64_t count) { std::copy_n(x + first, count, kept + at); });
    std::fill(kept + columns_ - weakCount(), kept + units() * kUnitColumns, 0.f);
    for (int64_t j = 0; j < weakCount(); j++) weak[j] = x[weakColumns_[size_t(j)]];
}

void PackedMatrix::addFields(const float* fieldSums, float* sums) const {
    for (int64_t f = 0; f < units() * kUnitFields; f++) sums[fieldGroup_[size_t(f)]] += fieldSums[f];
}

int64_t PackedMatrix::tiles() const { return inWhole(rows_, kPackedRows); }
int64_t PackedMatrix::units() const { return inWhole(columns_ - weakCount(), kUnitColumns); }

const uint8_t* PackedMatrix::pair(int64_t row, int64_t unit) const {
    return reinterpret_cast<const uint8_t*>(codes_.data()) + row % kPackedRows / 2 * stride_ +
           (row / kPackedRows * units() + unit) * 2 * unitBytes(bits_);
}

FloatBuffer PackedMatrix::byTile(const float* values, int64_t across) const {
    FloatBuffer out(tiles() * across * kPackedRows);
    out.clear();
    for (int64_t r = 0; r < rows_; r++)
        for (int64_t i = 0; i < across; i++)
            out.data()[(r / kPackedRows * across + i) * kPackedRows + r % kPackedRows] = values[r * across + i];
    return out;
}

const uint8_t* PackedMatrix::weakOf(int64_t tile) const {
    return reinterpret_cast<const uint8_t*>(weakWeight_.data()) + tile * weakCount() * kPackedRows * bytesOf(weakType_);
}

void PackedMatrix::setWeakWeight(const float* weight) {
    const FloatBuffer whole = byTile(weight, weakCount());
    FloatBuffer halfs((whole.size() + 1) / 2);
    const auto all = [&](bool (*as)(float, uint16_t&)) {
        auto* const to = reinterpret_cast<uint16_t*>(halfs.data());
        for (int64_t i = 0; i < whole.size(); i++)
            if (!as(whole.data()[i], to[i])) return false;
        return true;
    };
    weakType_ = all(asHalf) ? StoredType::f16 : all(asBfloat) ? StoredType::bf16 : StoredType::f32;
    weakWeight_ = weakType_ == StoredType::f32 ? whole : halfs;
}

PackedMatrix::PackedMatrix(const PackedWeight& w)
    : rows_(w.rows), columns_(w.columns), groups_(w.groupSize ? inWhole(w.columns, w.groupSize) : 1), groupSize_(w.groupSize), bits_(w.bits) {
    if (bits_ != 2 && bits_ != 3 && bits_ != 4 && bits_ != 8) throw std::invalid_argument("PackedMatrix: 2, 3, 4 or 8 bits");
    static_assert(kPackedGroup == kFieldColumns);
    if (groupSize_ % kPackedGroup) throw std::invalid_argument("PackedMatrix: the group size must be a multiple of 32");
    scale_ = byTile(w.scale, groups_);
    zero_ = byTile(w.zero, groups_);
    if (w.bias) bias_ = byTile(w.bias, 1);
    if (w.weakCount) weakColumns_.assign(w.weakColumns, w.weakColumns + w.weakCount);
    setWeakWeight(w.weakWeight);
    // What lies beyond the last column is multiplied by 0; its grid is any.
    for (int64_t f = 0; f < units() * kUnitFields; f++)
        fieldGroup_.push_back(int32_t(groupSize_ ? std::min(f * kFieldColumns / groupSize_, groups_ - 1) : 0));
    const int64_t streamBytes = tiles() * units() * 2 * unitBytes(bits_);
    stride_ = streamStride(streamBytes);
    codes_ = FloatBuffer::lasting(((kPackedRows / 2 - 1) * stride_ + streamBytes) / int64_t(sizeof(float)));
    // By all threads: where a machine has several memories, the tiles are spread over them, as the threads that will read them are.
    parallelFor(tiles(), std::max<int64_t>(1, kWorkPerRange / (columns_ * kPackedRows + 1)), [&](int64_t begin, int64_t end) {
        std::vector<uint8_t> row(size_t(units() * kUnitColumns));
        for (int64_t r = begin * kPackedRows; r < end * kPackedRows; r++) {
            std::fill(row.begin(), row.end(), uint8_t(0));
            if (r < rows_)
                eachRun(weakColumns_, columns_,
                        [&](int64_t first, int64_t at, int64_t count) { std::copy_n(w.codes + r * columns_ + first, count, row.begin() + at); });
            for (int64_t u = 0; u < units(); u++)
                packedTable().encode(row.data() + u * kUnitColumns, bits_, const_cast<uint8_t*>(pair(r, u)), r % 2);
        }
    });
}

uint64_t PackedMatrix::bytes() const {
    return uint64_t(codes_.size() + scale_.size() + zero_.size() + weakWeight_.size() + bias_.size()) * sizeof(float) +
           weakColumns_.size() * sizeof(int32_t);
}

PackedTile PackedMatrix::tile(int64_t tile, int64_t tokens, const float* inputSums, const float* weakInputs) const {
    const int64_t row = tile * kPackedRows, lastAhead = tiles() - kAheadBytes / (units() * 2 * unitBytes(bits_) + 1);
    PackedTile t{};
    t.codes = pair(row, 0);
    t.streamBytes = stride_;
    t.ahead = tile < lastAhead ? kAheadBytes : 0;
    t.units = units();
    t.tokens = tokens;
    t.inputSums = inputSums;
    t.scale = scale_.data() + row * groups_;
    t.zero = zero_.data() + row * groups_;
    t.groups = groups_;
    t.groupFields = groupSize_ / kFieldColumns;
    t.fieldGroup = fieldGroup_.data();
    t.weak = weakOf(tile);
    t.weakType = weakType_;
    t.weakInputs = weakInputs;
    t.weakCount = weakCount();
    if (hasBias()) t.bias = bias_.data() + row;
    return t;
}

void PackedMatrix::multiply(const float* x, int64_t batch, float* y, Activations activations) const {
    const bool many = packedTable().multiplyMany && activations != Activations::exact && groupSize_ % kStepColumns == 0;
    for (int64_t first = 0; first < batch;) {
        const bool blocks = many && batch - first >= kFewestForBlocks;
        const int64_t tokens = std::min(blocks ? kManyTokens : kPackedTokens, batch - first);
        blocks ? multiplyMany(x + first * columns_, tokens, y + first * rows_, activations) : multiplyFew(x + first * columns_, tokens, y + first * rows_, activations);
        first += tokens;
    }
}

void PackedMatrix::multiplyFew(const float* x, int64_t tokens, float* y, Activations activations) const {
    const Staged staged(*this, x, tokens, activations);
    parallelFor(tiles(), std::max<int64_t>(1, kWorkPerRange / (columns_ * kPackedRows * tokens + 1)), [&](int64_t begin, int64_t end) {
        const PackedTable& table = packedTable();
        float out[kPackedTokens * kPackedRows];
        for (int64_t i = begin; i < end; i++) {
            const int64_t row = i * kPackedRows, rows = std::min(kPackedRows, rows_ - row);
            PackedTile t = tile(i, tokens, staged.sums.data(), staged.weak.data());
            t.rounded = activations == Activations::exact ? nullptr : &staged.rounded;
            t.twice = activations == Activations::doubleInt8;
            t.x = staged.x.data();
            t.out = out;
            table.multiply(t, bits_);
            for (int64_t k = 0; k < tokens; k++) std::copy_n(out + k * kPackedRows, rows, y + k * rows_ + row);
        }
    });
}

/// As multiplyFew; a token's inputs are rounded to the same numbers.
void PackedMatrix::multiplyMany(const float* x, int64_t tokens, float* y, Activations activations) const {
    ManyInputsBuffer inputs(units(), tokens, activations == Activations::doubleInt8 ? 2 : 1);
    FloatBuffer weak(tokens * weakCount()), sums(tokens * groups_);
    sums.clear();
    parallelFor(tokens, 1, [&](int64_t begin, int64_t end) {
        FloatBuffer kept(units() * kUnitColumns), fields(units() * kUnitFields);
        for (int64_t t = begin; t < end; t++) {
            gather(x + t * columns_, kept.data(), weak.data() + t * weakCount());
            inputs.round(packedTable(), kept.data(), t, fields.data());
            addFields(fields.data(), sums.data() + t * groups_);
        }
    });
    parallelFor(inWhole(tiles(), 2), 1, [&](int64_t begin, int64_t end) {
        float out[2 * kManyTokens * kPackedRows];
        for (int64_t i = 2 * begin; i < std::min(2 * end, tiles()); i += 2) {
            PackedTile pair[2];
            const int64_t count = std::min<int64_t>(2, tiles() - i);
            for (int64_t k = 0; k < count; k++) {
                pair[k] = tile(i + k, tokens, sums.data(), weak.data());
                pair[k].twice = activations == Activations::doubleInt8;
                pair[k].out = out + k * kManyTokens * kPackedRows;
            }
            packedTable().multiplyMany(pair, count, inputs.view(), bits_);
            for (int64_t k = 0; k < count; k++) {
                const int64_t row = (i + k) * kPackedRows, rows = std::min(kPackedRows, rows_ - row);
                for (int64_t t = 0; t < tokens; t++) std::copy_n(pair[k].out + t * kPackedRows, rows, y + t * rows_ + row);
            }
        }
    });
}

void PackedMatrix::decodeRow(int64_t row, float* out) const {
    for (int64_t u = 0; u < units(); u++) packedTable().decode(pair(row, u), row % 2, bits_, out + u * kUnitColumns);
}

void PackedMatrix::codes(int64_t row, uint8_t* out) const {
    std::vector<float> kept(size_t(units() * kUnitColumns));
    decodeRow(row, kept.data());
    std::fill_n(out, columns_, uint8_t(0));
    eachRun(weakColumns_, columns_, [&](int64_t first, int64_t at, int64_t count) {
        std::transform(kept.data() + at, kept.data() + at + count, out + first, [](float code) { return uint8_t(code); });
    });
}

void PackedMatrix::dequantizeRows(int64_t begin, int64_t end, float* out) const {
    const int64_t k = weakCount(), width = units() * kUnitColumns, group = groupSize_ ? groupSize_ : width;
    parallelFor(end - begin, std::max<int64_t>(1, kWorkPerRange / (columns_ + 1)), [&](int64_t from, int64_t to) {
        std::vector<float> kept(static_cast<size_t>(width));
        for (int64_t i = from; i < to; i++) {
            const int64_t r = begin + i, tile = r / kPackedRows, lane = r % kPackedRows;
            decodeRow(r, kept.data());
            for (int64_t g = 0; g < groups_; g++) {
                const int64_t at = (tile * groups_ + g) * kPackedRows + lane, last = std::min(width, (g + 1) * group);
                const float scale = scale_.data()[at], zero = zero_.data()[at];
                for (int64_t c = g * group; c < last; c++) kept[size_t(c)] = scale * (kept[size_t(c)] - zero);
            }
            float* const values = out + i * columns_;
            eachRun(weakColumns_, columns_, [&](int64_t first, int64_t at, int64_t count) { std::copy_n(kept.data() + at, count, values + first); });
            for (int64_t j = 0; j < k; j++) values[weakColumns_[size_t(j)]] = widened(weakOf(tile) + (j * kPackedRows + lane) * bytesOf(weakType_), weakType_);
        }
    });
}

}  // namespace owq::kernels
