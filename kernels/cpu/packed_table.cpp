// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/packed_table.h"

#include <atomic>
#include <cmath>
#include <vector>

#include "kernels/cpu/features.h"
#include "kernels/cpu/many_inputs.h"

namespace owq::kernels {

bool tilesAgree(const PackedTable& tiles, const PackedTable& table) {
    // Of 8 bits: only then a sign that is none would show.
    constexpr int64_t bits = 8, units = 2, tokens = 19, rows = 2 * kPackedRows, streamBytes = units * 2 * unitBytes(bits);
    FloatBuffer codes(2 * 4 * streamBytes / int64_t(sizeof(float)));
    uint32_t state = 1;
    const auto random = [&state] { return (state = state * 1664525u + 1013904223u) >> 8; };
    auto* const bytes = reinterpret_cast<uint8_t*>(codes.data());
    for (int64_t i = 0; i < 8 * streamBytes; i++) bytes[i] = uint8_t(random());
    std::vector<float> x(size_t(units * kUnitColumns)), sums(tokens), fields(units * kUnitFields), few(tokens * rows), many(tokens * rows);
    const std::vector<float> scale(kPackedRows, 1.f), zero(kPackedRows, 128.f);
    const std::vector<int32_t> group(units * kUnitFields);
    ManyInputsBuffer blocks(units, tokens, 2);
    std::vector<int8_t> values(size_t(units * tokens * 2 * kUnitColumns));
    std::vector<float> inputScale(size_t(units * tokens * 2));
    const RoundedInputs rounded{values.data(), inputScale.data()};
    double size = 0;
    for (int64_t t = 0; t < tokens; t++) {
        for (float& v : x) v = float(int(random() % 2001) - 1000) / 100;
        table.roundInputs(x.data(), units, t, tokens, true, rounded, fields.data());
        blocks.round(table, x.data(), t, fields.data());
        for (float f : fields) sums[size_t(t)] += f;
    }
    const auto tile = [&](int64_t i, float* out) {
        return PackedTile{bytes + i * 4 * streamBytes, streamBytes, 0, units, tokens, &rounded, true, nullptr, sums.data(), scale.data(), zero.data(),
                          1, 0, group.data(), nullptr, StoredType::f32, nullptr, 0, nullptr, out + i * tokens * kPackedRows};
    };
    const PackedTile pair[] = {tile(0, many.data()), tile(1, many.data())};
    tiles.multiplyMany(pair, 2, blocks.view(), bits);
    for (int64_t i = 0; i < 2; i++) table.multiply(tile(i, few.data()), bits);
    for (const float y : few) size += std::abs(double(y)) / double(few.size());
    bool agree = true;  // by rounding they differ by some 1e-6 of the size
    for (size_t i = 0; i < few.size(); i++) agree = agree && std::abs(double(few[i]) - double(many[i])) <= 1e-4 * size;
    return agree;
}

namespace {

std::atomic<const PackedTable*> chosen{nullptr};

}  // namespace

void usePackedTable(const PackedTable* table) { chosen = table; }

const PackedTable& packedTable() {
    if (const PackedTable* const table = chosen.load(std::memory_order_relaxed)) return *table;
    switch (instructionSet()) {
        case InstructionSet::amx: {
            // No processor that has them was at hand: their kernel has been tested on an imitation of the instructions only.
            static const bool agree = tilesAgree(vnni::tilesTable, vnni::packedTable);
            if (agree) return vnni::tilesTable;
            [[fallthrough]];
        }
        case InstructionSet::vnni:
            return vnni::packedTable;
        case InstructionSet::avx512:
        case InstructionSet::avx2:
            return avx2::packedTable;
        case InstructionSet::scalar:
            break;
    }
    return scalar::packedTable;
}

}  // namespace owq::kernels
