// SPDX-License-Identifier: Apache-2.0
// GPTQ checkpoints, ours and those of other programs, as packed models.
#include <algorithm>
#include <map>

#include "core/base/error.h"
#include "core/pack/gptq.h"
#include "core/pack/packed_model.h"

namespace owq {
namespace {

const std::vector<const char*> kParts = {".qweight", ".qzeros", ".scales", ".g_idx"};

/// What quantization_config says, checked.
struct GptqFile {
    GptqFile(const Json& q, const std::string& where)
        : bits(checkedPackedWidth(required<int64_t>(q, "bits", where), where)),
          symmetric(optional<bool>(q, "sym", false, where)),
          actOrder(optional<bool>(q, "desc_act", false, where)) {
        const int64_t size = optional<int64_t>(q, "group_size", -1, where);
        if (size < -1) throw Error("has a group_size of " + std::to_string(size), where);
        groupSize = std::max<int64_t>(size, 0);
        const std::string format = optional<std::string>(q, "checkpoint_format", "gptq", where);
        if (format != "gptq" && format != "gptq_v2")
            throw Error("is in the form \"" + format.substr(0, 40) + "\" of GPTQ", where, "Known are gptq and gptq_v2; convert it to one of them.");
        version = format == "gptq" ? GptqVersion::v1 : GptqVersion::v2;
        if (q.contains("dynamic") && !q.at("dynamic").empty())
            throw Error("gives some linears settings of their own (\"dynamic\"), which cannot be read", where,
                        "Open a checkpoint with one width and one group size.");
    }
    int bits;
    bool symmetric, actOrder;
    int64_t groupSize = 0;
    GptqVersion version = GptqVersion::v1;
};

LinearShape gptqShape(const TensorInfo& codes, const GptqFile& file) {
    LinearShape s;
    s.name = codes.name.substr(0, codes.name.rfind('.'));
    s.bits = file.bits;
    s.symmetric = file.symmetric;
    if (codes.dtype != DType::i32 || codes.shape.size() != 2 || codes.shape[0] <= 0 || codes.shape[1] <= 0 || codes.shape[0] % file.bits)
        throw Error("tensor " + codes.name + " is " + std::string(name(codes.dtype)) + " " + shapeText(codes.shape) + ": no " +
                        std::to_string(file.bits) + "-bit weight of GPTQ",
                    codes.file.string() + ", " + s.name);
    s.columns = codes.shape[0] / file.bits * 32;
    s.rows = codes.shape[1];
    s.groupSize = file.groupSize >= s.columns ? 0 : file.groupSize;
    return s;
}

std::vector<int32_t> groupsInOrder(const LinearShape& s) {
    QuantizedLinear runs;
    runs.columns = s.columns;
    runs.groupSize = s.groupSize;
    return gridOfColumns(runs);
}

GptqLinear readLinear(const Checkpoint& checkpoint, const LinearShape& s) {
    // Some writers leave g_idx out where it says nothing.
    const bool indexed = checkpoint.find(s.name + ".g_idx") != nullptr;
    return {checkpoint.read(s.name + ".qweight"), checkpoint.read(s.name + ".qzeros"), checkpoint.read(s.name + ".scales"),
            indexed ? checkpoint.read(s.name + ".g_idx") : Tensor::i32({s.columns}, groupsInOrder(s))};
}

/// w = scale * (code - zero) of each column's own group, wherever that is. 16-bit floats, as other programs compute it.
Tensor dequantized(const GptqLinear& packed, const LinearShape& s, GptqVersion version, const std::string& where) {
    GptqLinear inOrder = packed;
    inOrder.groupOf = Tensor::i32({s.columns}, groupsInOrder(s));
    const QuantizedLinear q = unpackGptq(inOrder, s, version, where);
    const std::vector<int64_t> groupOf = packed.groupOf.toInteger();
    const int64_t groups = q.groups();
    if (packed.groupOf.shape != std::vector<int64_t>{s.columns} ||
        std::any_of(groupOf.begin(), groupOf.end(), [groups](int64_t g) { return g < 0 || g >= groups; }))
        throw Error("g_idx does not name one of " + std::to_string(groups) + " groups for each column", where);
    std::vector<float> values(size_t(s.rows * s.columns));
    for (int64_t r = 0; r < s.rows; ++r)
        for (int64_t c = 0; c < s.columns; ++c) {
            const size_t at = size_t(r * s.columns + c), grid = size_t(r * groups + groupOf[size_t(c)]);
            values[at] = q.scale[grid] * (float(q.codes[at]) - q.zero[grid]);
        }
    return Tensor::rounded(DType::f16, {s.rows, s.columns}, values);
}

bool endsWithPart(const std::string& name) {
    return std::any_of(kParts.begin(), kParts.end(), [&](const char* part) { return name.ends_with(part); });
}

}  // namespace

std::shared_ptr<const PackedModel> PackedModel::openGptq(std::shared_ptr<const Checkpoint> checkpoint) {
    std::shared_ptr<PackedModel> model(new PackedModel);
    const std::string path = checkpoint->folder().string();
    model->path_ = checkpoint->folder();
    model->config_ = checkpoint->config();
    const GptqFile file(model->config_.at("quantization_config"), (model->path_ / "config.json").string());
    model->bits_ = file.bits;
    model->groupSize_ = file.groupSize;
    model->symmetric_ = file.symmetric;

    std::vector<TensorInfo> tensors;
    std::map<std::string, LinearShape> scattered;  // by the name of the weight that stands for it
    for (const TensorInfo& t : checkpoint->tensors()) {
        if (!file.actOrder || !file.groupSize || !t.name.ends_with(".qweight")) continue;
        const LinearShape s = gptqShape(t, file);
        if (!checkpoint->find(s.name + ".g_idx")) throw Error("tensor " + s.name + ".g_idx is missing", t.file.string() + ", " + s.name);
        const std::vector<int64_t> groupOf = checkpoint->read(s.name + ".g_idx").toInteger();
        const std::vector<int32_t> inOrder = groupsInOrder(s);
        if (std::equal(groupOf.begin(), groupOf.end(), inOrder.begin(), inOrder.end())) continue;
        scattered.emplace(s.name + ".weight", s);
        tensors.push_back({s.name + ".weight", DType::f16, {s.rows, s.columns}, t.file, uint64_t(s.rows * s.columns * 2)});
    }
    for (const TensorInfo& t : checkpoint->tensors())
        if (!endsWithPart(t.name) || !scattered.count(t.name.substr(0, t.name.rfind('.')) + ".weight")) tensors.push_back(t);
    model->read_ = [checkpoint, scattered, file, path](const std::string& name) {
        const auto found = scattered.find(name);
        if (found == scattered.end()) return checkpoint->read(name);
        return dequantized(readLinear(*checkpoint, found->second), found->second, file.version, path + ", " + found->second.name);
    };
    model->sortOut(tensors, {.parts = kParts,
                             .optionalPart = kParts.back(),
                             .shape = [file](const TensorInfo& codes, const Tensors&) { return gptqShape(codes, file); },
                             .unpack = [checkpoint, file, path](const LinearShape& s) {
                                 return unpackGptq(readLinear(*checkpoint, s), s, file.version, path + ", " + s.name);
                             }});
    return model;
}

}  // namespace owq
