// SPDX-License-Identifier: Apache-2.0
// Which tensors a packed linear consists of: the one place that files and forecasts take their sizes from.
#include "core/base/error.h"
#include "core/pack/writing.h"

namespace owq {

std::string packLayoutName(PackLayout layout) {
    return layout == PackLayout::latency ? "latency" : "storage";
}

PackLayout packLayoutFromName(const std::string& name) {
    for (PackLayout layout : {PackLayout::latency, PackLayout::storage})
        if (packLayoutName(layout) == name) return layout;
    throw Error("unknown layout \"" + name.substr(0, 40) + "\"", {}, "Known ones: latency, storage");
}

int checkedPackedWidth(int64_t bits, const std::string& where) {
    if (!isPackedWidth(bits)) throw Error(std::to_string(bits) + "-bit packed weights are not supported", where, "Known are 2, 3, 4 and 8 bits.");
    return int(bits);
}

uint64_t packedBytes(const LinearShape& shape, DType type, PackLayout layout) {
    uint64_t bytes = 0;
    for (const TensorPlan& plan : packing::packedPlan(shape, type, layout)) bytes += plan.bytes();
    return bytes;
}

namespace packing {

std::vector<TensorPlan> packedPlan(const LinearShape& s, DType type, PackLayout layout) {
    // Rounded up, so that forecasts for shapes that the format refuses make sense, too.
    const TensorPlan codes =
        layout == PackLayout::latency
            ? TensorPlan{s.name + ".qweight", DType::i32, {(s.columns * s.bits + 31) / 32, s.rows}}
            : TensorPlan{s.name + ".qweight", DType::u8, {s.columns - s.weakColumns, (s.rows * s.bits + 7) / 8}};
    return {codes,
            {s.name + ".scales", type, {s.rows, s.groups()}},
            {s.name + ".oweight", type, {s.weakColumns, s.rows}},
            {s.name + ".outlieridx", s.weakColumns ? DType::i32 : DType::f32, {s.weakColumns}},
            {s.name + ".zeros", DType::u8, {s.bits > 4 ? s.rows : (s.rows + 1) / 2, s.groups()}}};
}

void writePacked(const PackSource& source, const std::string& linear, DType type, PackLayout layout,
                 const std::function<void(const std::string&, const Tensor&)>& write) {
    try {
        const PackedLinear p = pack(source.linear(linear), type, layout);
        write(linear + ".qweight", p.qweight);
        write(linear + ".scales", p.scales);
        write(linear + ".oweight", p.oweight);
        write(linear + ".outlieridx", p.outlieridx);
        write(linear + ".zeros", p.zeros);
    } catch (const Error& e) {
        if (!e.where().empty()) throw;
        throw Error(e.happened(), linear, e.remedy());
    }
}

}  // namespace packing
}  // namespace owq
