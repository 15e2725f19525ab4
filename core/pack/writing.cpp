// SPDX-License-Identifier: Apache-2.0
#include "core/pack/writing.h"

#include <algorithm>
#include <cstdlib>

#include "core/base/error.h"
#include "core/base/transpose.h"

namespace owq::packing {
namespace {

std::vector<std::string> split(const std::string& name) {
    std::vector<std::string> parts(1);
    for (char c : name)
        if (c == '.')
            parts.emplace_back();
        else
            parts.back() += c;
    return parts;
}

/// Position among siblings. One list serves every depth, because no two depths order the same two names
/// differently.
int rank(const std::string& part, bool opt) {
    static const std::vector<std::string> kOpt{
        "model",       "decoder",    "k_proj",           "v_proj",
        "q_proj",      "out_proj",   "self_attn",        "self_attn_layer_norm",
        "fc1",         "fc2",        "embed_tokens",     "embed_positions",
        "project_out", "project_in", "final_layer_norm", "layers",
        "weight",      "bias",       "qweight",          "scales",
        "zeros",       "oweight",    "outlieridx",       "lm_head"};
    static const std::vector<std::string> kOther{"model",
                                                 "embed_tokens",
                                                 "layers",
                                                 "norm",
                                                 "q_proj",
                                                 "k_proj",
                                                 "v_proj",
                                                 "o_proj",
                                                 "q_norm",
                                                 "k_norm",
                                                 "self_attn",
                                                 "gate_proj",
                                                 "up_proj",
                                                 "down_proj",
                                                 "mlp",
                                                 "input_layernorm",
                                                 "post_attention_layernorm",
                                                 "weight",
                                                 "bias",
                                                 "lm_head"};
    const std::vector<std::string>& list = opt ? kOpt : kOther;
    return int(std::find(list.begin(), list.end(), part) - list.begin());
}

bool isNumber(const std::string& text) {
    return !text.empty() && text.size() < 10 && text.find_first_not_of("0123456789") == std::string::npos;
}

bool before(const std::string& a, const std::string& b, bool opt) {
    if (a == b) return false;
    if (isNumber(a) && isNumber(b)) return std::atoi(a.c_str()) < std::atoi(b.c_str());
    const int ra = rank(a, opt), rb = rank(b, opt);
    return ra != rb ? ra < rb : a < b;
}

}  // namespace

std::map<std::string, const LinearShape*, std::less<>> replacedWeights(const PackSource& source) {
    std::map<std::string, const LinearShape*, std::less<>> replaced;
    for (const LinearShape& shape : source.linears) {
        const std::string weight = shape.name + ".weight";
        const TensorInfo* info = source.base->find(weight);
        if (!info)
            throw Error("has no tensor \"" + weight + "\", which the run quantized",
                        source.base->folder().string());
        std::vector<int64_t> stored{shape.rows, shape.columns};
        if (source.storedTransposed) std::swap(stored[0], stored[1]);
        if (info->shape != stored)
            throw Error("tensor \"" + weight + "\" is " + shapeText(info->shape) + " here and " + shapeText(stored) + " in the run",
                        source.base->folder().string());
        if (!replaced.emplace(weight, &shape).second) throw Error("is named twice by the run", shape.name);
    }
    if (replaced.empty()) throw Error("the run holds no quantized linear");
    return replaced;
}

DType storedType(const PackSource& source, const std::string& linear) {
    const DType type = source.base->find(linear + ".weight")->dtype;
    return type == DType::bf16 || type == DType::f32 ? type : DType::f16;
}

DType torchType(const PackSource& source) {
    const DType type = source.base->find(source.linears.front().name + ".weight")->dtype;
    return type == DType::bf16 ? type : DType::f16;
}

std::string torchName(const PackSource& source, const std::string& name) {
    if (name.rfind("model.", 0) == 0 || name.rfind("lm_head.", 0) == 0) return name;
    // Checkpoints of the bare model leave the prefix out; the authors always save the language model.
    for (const TensorInfo& t : source.base->tensors())
        if (t.name.rfind("model.", 0) == 0) return name;
    return "model." + name;
}

void sortAsModules(std::vector<std::string>& names, bool opt) {
    std::vector<std::vector<std::string>> split_;
    for (const std::string& n : names) split_.push_back(split(n));
    std::stable_sort(split_.begin(), split_.end(), [&](const auto& a, const auto& b) {
        return std::lexicographical_compare(
            a.begin(), a.end(), b.begin(), b.end(),
            [&](const std::string& x, const std::string& y) { return before(x, y, opt); });
    });
    for (size_t i = 0; i < names.size(); ++i) {
        names[i].clear();
        for (const std::string& part : split_[i]) names[i] += (names[i].empty() ? "" : ".") + part;
    }
}

bool isOpt(const PackSource& source) {
    const Json& config = source.base->config();
    return config.is_object() && config.contains("model_type") && config["model_type"] == "opt";
}

Tensor denseWeight(const PackSource& source, const TensorInfo& stored, const std::string& linear) {
    const QuantizedLinear q = source.linear(linear);
    std::vector<float> weight = dequantize(q);
    if (source.storedTransposed) weight = transposed(weight, q.rows, q.columns);
    return Tensor::rounded(stored.dtype, stored.shape, weight);
}

Tensor asType(const Tensor& tensor, DType type) {
    const bool floating = tensor.dtype == DType::f16 || tensor.dtype == DType::bf16 ||
                          tensor.dtype == DType::f32 || tensor.dtype == DType::f64;
    if (!floating || tensor.dtype == type) return tensor;
    return Tensor::rounded(type, tensor.shape, tensor.toFloat());
}

bool identical(const Tensor& a, const Tensor& b) {
    return a.dtype == b.dtype && a.shape == b.shape &&
           (a.bytes() == 0 || std::memcmp(a.data, b.data, a.bytes()) == 0);
}

}  // namespace owq::packing
