// SPDX-License-Identifier: Apache-2.0
// The authors' packed checkpoint: torch.save of {model_state_dict, n_out_dict, packing, dtype, bits}.
#include "core/base/error.h"
#include "core/checkpoint/torch_pickle.h"
#include "core/pack/tensor_stream.h"
#include "core/pack/writing.h"

namespace owq::packing {
namespace {

/// Removes the file when it goes out of scope.
struct Scratch {
    std::filesystem::path path;
    ~Scratch() {
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
    }
};

Tensor zeros(DType type, int64_t count) {
    return Tensor::rounded(type, {count}, std::vector<float>(size_t(count)));
}

/// The packed tensors in a file of their own, so that torch's writer, which wants all tensors at once, gets
/// views of a mapping.
void writeScratch(const PackSource& source, const std::filesystem::path& file, DType type, Meter& meter,
                  const std::stop_token& stop) {
    std::vector<TensorPlan> plan;
    for (const LinearShape& s : source.linears)
        for (TensorPlan& p : packedPlan(s, type, PackLayout::latency)) plan.push_back(std::move(p));
    TensorStream out(file, plan, {});
    for (const LinearShape& s : source.linears) {
        meter.next(s.name, stop);
        writePacked(source, s.name, type, PackLayout::latency,
                    [&](const std::string& tensor, const Tensor& value) { out.write(tensor, value); });
    }
    out.commit();
}

}  // namespace

void writeTorch(const PackSource& source, const std::filesystem::path& file, Meter meter,
                std::stop_token stop) {
    const auto replaced = replacedWeights(source);
    const DType type = torchType(source);
    Scratch scratch{file};
    scratch.path += ".packed";
    writeScratch(source, scratch.path, type, meter, stop);
    const auto packed = openSafetensors(scratch.path);

    // Keys of the state dict without the tensors of packed linears, which follow their module's place.
    std::map<std::string, std::string> originals;  // name in the authors' file to name in the checkpoint
    std::vector<std::string> names;
    for (const TensorInfo& t : source.base->tensors()) {
        const size_t dot = t.name.rfind('.');
        if (dot != std::string::npos && t.name.substr(dot) == ".bias" &&
            replaced.count(t.name.substr(0, dot) + ".weight"))
            continue;
        names.push_back(torchName(source, t.name));
        originals[names.back()] = t.name;
    }
    sortAsModules(names, isOpt(source));

    PickleDict state, weakCounts;
    for (const std::string& name : names) {
        const std::string& original = originals[name];
        const auto it = replaced.find(original);
        if (it == replaced.end()) {
            state.push_back({name, PickleValue{asType(source.base->read(original), type)}});
            continue;
        }
        const LinearShape& s = *it->second;
        const std::string module = name.substr(0, name.size() - 7);
        const auto add = [&](const char* part) {
            state.push_back({module + part, PickleValue{packed->read(s.name + part)}});
        };
        const bool hasBias = source.base->find(s.name + ".bias") != nullptr;
        // A bias of the model is a parameter and comes before the buffers; the zeros that stand in for none
        // are a buffer.
        if (hasBias)
            state.push_back({module + ".bias",
                               PickleValue{asType(source.base->read(s.name + ".bias"), type)}});
        add(".qweight"), add(".scales"), add(".zeros");
        if (!hasBias) state.push_back({module + ".bias", PickleValue{zeros(type, s.rows)}});
        add(".oweight"), add(".outlieridx");
        weakCounts.push_back({module,
                                PickleValue{PickleNamespace{{{"n_out", PickleValue{s.weakColumns}}}}}});
    }
    // A tied head is not in the checkpoint, but it is in a state dict.
    if (!originals.count("lm_head.weight"))
        for (size_t i = 0; i < state.size(); ++i)
            if (state[i].key.ends_with("embed_tokens.weight")) {
                PickleValue head = state[i].value;
                state.push_back({"lm_head.weight", std::move(head)});
                break;
            }
    checkStop(stop);
    PickleDict root;
    root.push_back({"model_state_dict", PickleValue{std::move(state)}});
    root.push_back({"n_out_dict", PickleValue{std::move(weakCounts)}});
    root.push_back({"packing", PickleValue{true}});
    root.push_back({"dtype", PickleValue{PickleDType{type}}});
    root.push_back({"bits", PickleValue{int64_t(source.linears.front().bits)}});
    writeTorchFile(file, PickleValue{std::move(root)});
}

}  // namespace owq::packing
