// SPDX-License-Identifier: Apache-2.0
#include "core/model/family.h"

#include <algorithm>

namespace owq {

const Family& familyOf(const Json& config, const std::string& where) {
    std::string type = optional<std::string>(config, "model_type", "", where), architecture;
    if (config.contains("architectures") && config.at("architectures").is_array() &&
        !config.at("architectures").empty() && config.at("architectures").front().is_string())
        architecture = config.at("architectures").front().get<std::string>();
    const auto has = [](const std::vector<std::string>& list, const std::string& name) {
        return std::find(list.begin(), list.end(), name) != list.end();
    };
    for (const Family& family : families()) {
        const bool architectureFits = has(family.architectures, architecture);
        // A known body with another head (a classifier, say) is not a language model.
        if (type.empty() ? architectureFits
                         : has(family.modelTypes, type) && (architecture.empty() || architectureFits))
            return family;
    }
    std::string known;
    for (const Family& family : families())
        for (const std::string& name : family.modelTypes) known += (known.empty() ? "" : ", ") + name;
    std::string name = type.empty() ? architecture : type;
    if (name.empty())
        throw Error("neither model_type nor architectures is given", where,
                    "Known model types: " + known + ".");
    if (!type.empty() && !architecture.empty()) name += " (" + architecture + ")";
    std::string kind = name;
    std::transform(kind.begin(), kind.end(), kind.begin(),
                   [](unsigned char c) { return char(std::tolower(c)); });
    bool experts = false;
    for (const char* sign : {"moe", "mixtral", "dbrx", "deepseek_v", "grok", "arctic", "jamba", "gpt_oss", "llama4"})
        experts |= kind.find(sign) != std::string::npos;
    throw Error((experts ? "mixture-of-experts models are not supported: " : "unknown architecture ") + name,
                where, "Known model types: " + known + ".");
}

std::string ModelNames::block(const Family& family, int index) const {
    return prefix + family.blocks + "." + std::to_string(index) + ".";
}

ModelNames resolveNames(const ModelConfig& config, const ShapeLookup& find, const std::string& where) {
    const Family& family = *config.family;
    ModelNames names;
    const auto found = std::find_if(
        family.prefixes.begin(), family.prefixes.end(),
        [&](const std::string& prefix) { return find(prefix + family.tokens + ".weight").has_value(); });
    if (found == family.prefixes.end())
        throw Error("tensor " + family.prefixes.front() + family.tokens + ".weight is missing", where,
                    "The files do not hold a model of family " + std::string(family.name) +
                        ", or a shard is missing.");
    names.prefix = *found;
    names.tokens = names.prefix + family.tokens;
    if (family.embeddingNorm) names.embeddingNorm = names.prefix + family.embeddingNorm;
    if (family.learned) names.positions = names.prefix + family.learned;
    if (config.finalNorm) names.finalNorm = names.prefix + family.finalNorm;
    names.head = config.tiedHead ? names.tokens : family.head;
    if (config.embedding != config.hidden) {
        names.projectIn = names.prefix + "project_in";
        names.projectOut = names.prefix + "project_out";
    }
    return names;
}

namespace {

/// Checks tensors one by one and adds up what they hold.
class Census {
public:
    Census(const ShapeLookup& find, const std::string& where) : find_(find), where_(where) {}

    DType expect(const std::string& name, const std::vector<int64_t>& shape) {
        const std::optional<TensorShape> tensor = find_(name);
        if (!tensor)
            throw Error("tensor " + name + " " + shapeText(shape) + " is missing", where_,
                        "The checkpoint is incomplete or config.json does not belong to it.");
        if (tensor->shape != shape)
            throw Error("tensor " + name + " has shape " + shapeText(tensor->shape) + ", config.json says " +
                            shapeText(shape),
                        where_, "The checkpoint and config.json do not belong together.");
        if (tensor->dtype != DType::f16 && tensor->dtype != DType::bf16 && tensor->dtype != DType::f32 &&
            tensor->dtype != DType::f64)
            throw Error("tensor " + name + " holds " + std::string(owq::name(tensor->dtype)) +
                            " values, not floating point",
                        where_, "Use a checkpoint in F16, BF16 or F32.");
        int64_t count = 1;
        for (int64_t n : shape) count *= n;
        parameters += count;
        bytes += uint64_t(count) * byteSize(tensor->dtype);
        return tensor->dtype;
    }
    void norm(const ModelConfig& config, const std::string& name) {
        if (!config.normAffine) return;
        expect(name + ".weight", {config.hidden});
        if (config.norm == NormKind::layer) expect(name + ".bias", {config.hidden});
    }

    int64_t parameters = 0;
    uint64_t bytes = 0;

private:
    const ShapeLookup& find_;
    const std::string& where_;
};

void shapeOf(const ModelConfig& c, LinearInfo& linear) {
    const int64_t query = c.heads * c.headSize, keyValue = c.keyValueHeads * c.headSize;
    const std::string& kind = linear.kind;
    linear.columns = kind == "o" ? query : kind == "down" ? c.feedForward : c.hidden;
    linear.rows = kind == "q"                     ? query
                  : kind == "k" || kind == "v"    ? keyValue
                  : kind == "qkv"                 ? query + 2 * keyValue
                  : kind == "o" || kind == "down" ? c.hidden
                  : kind == "gate_up"             ? 2 * c.feedForward
                                                  : c.feedForward;
    linear.bias = linear.feedForward ? c.feedForwardBias : kind == "o" ? c.outputBias : c.attentionBias;
}

/// In the order in which a pass shows their inputs.
std::vector<LinearInfo> blockLinears(const ModelConfig& config, const std::string& block, int index) {
    const bool shared = config.residual == Residual::parallelShared;
    const std::vector<FamilyLinear>& entries = config.family->linears;
    std::vector<LinearInfo> linears;
    for (const FamilyLinear& entry : entries) {
        LinearInfo linear;
        linear.name = block + entry.name;
        linear.block = index;
        linear.kind = entry.kind;
        const bool attentionInput = shared && entry.feedForward && linear.kind != "down";
        linear.inputGroup = block + (attentionInput ? entries.front().group : entry.group);
        linear.feedForward = entry.feedForward;
        shapeOf(config, linear);
        linears.push_back(std::move(linear));
    }
    if (shared)
        std::stable_partition(linears.begin(), linears.end(),
                              [&, group = linears.front().inputGroup](const LinearInfo& l) { return l.inputGroup == group; });
    return linears;
}

}  // namespace

ModelInfo buildModelInfo(const ModelConfig& config, const ModelNames& names, const ShapeLookup& find,
                         const std::string& where) {
    const Family& family = *config.family;
    Census census(find, where);
    ModelInfo info;
    info.family = family.name;
    info.blocks = config.blocks;
    info.hidden = config.hidden;
    info.heads = config.heads;
    info.keyValueHeads = config.keyValueHeads;
    info.feedForward = config.feedForward;
    info.vocabulary = config.vocabulary;
    info.maxPositions = config.maxPositions;
    info.tiedHead = config.tiedHead;
    info.weakRatio = family.weakRatio;

    census.expect(names.tokens + ".weight", {config.vocabulary, config.embedding});
    if (!names.positions.empty())
        census.expect(names.positions + ".weight",
                      {config.maxPositions + family.positionOffset, config.hidden});
    if (!names.embeddingNorm.empty()) census.norm(config, names.embeddingNorm);
    if (!names.projectIn.empty()) {
        census.expect(names.projectIn + ".weight", {config.hidden, config.embedding});
        census.expect(names.projectOut + ".weight", {config.embedding, config.hidden});
    }
    for (int b = 0; b < config.blocks; ++b) {
        const std::string block = names.block(family, b);
        census.norm(config, block + config.attentionNorm);
        if (config.residual != Residual::parallelShared) census.norm(config, block + config.feedForwardNorm);
        for (const char* norm : {config.queryNorm, config.keyNorm})
            if (norm) census.expect(block + norm + ".weight", {config.headSize});
        for (LinearInfo& linear : blockLinears(config, block, b)) {
            std::vector<int64_t> stored{linear.rows, linear.columns};
            if (family.storedTransposed) std::swap(stored[0], stored[1]);
            linear.dtype = census.expect(linear.name + ".weight", stored);
            if (linear.bias) census.expect(linear.name + ".bias", {linear.rows});
            info.linears.push_back(std::move(linear));
        }
    }
    if (find(names.block(family, config.blocks) + family.linears.front().name + ".weight"))
        throw Error(
            "the checkpoint has more blocks than the " + std::to_string(config.blocks) + " of config.json",
            where, "The checkpoint and config.json do not belong together.");
    if (!names.finalNorm.empty()) census.norm(config, names.finalNorm);
    if (!config.tiedHead) census.expect(names.head + ".weight", {config.vocabulary, config.embedding});
    info.dtype = info.linears.front().dtype;
    info.parameters = census.parameters;
    info.bytes = census.bytes;
    return info;
}

}  // namespace owq
