// SPDX-License-Identifier: Apache-2.0
// The sample models' weights and what the authors' code made of them (tests/data/README.md).
#pragma once
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/tensor.h"

namespace owq::golden {

/// Just enough of safetensors for files that this repository brings.
class Archive {
public:
    explicit Archive(const std::string& file) : stream_(file, std::ios::binary) {
        uint64_t size = 0;
        stream_.read(reinterpret_cast<char*>(&size), 8);
        if (!stream_) throw std::runtime_error("cannot read " + file);
        std::string text(size, 0);
        stream_.read(text.data(), std::streamsize(size));
        header_ = Json::parse(text);
        start_ = 8 + size;
    }

    bool has(const std::string& name) const { return header_.contains(name); }
    const Json& header() const { return header_; }

    Tensor read(const std::string& name) {
        const Json& entry = header_.at(name);
        const auto offsets = entry.at("data_offsets").get<std::vector<uint64_t>>();
        std::vector<char> bytes(offsets[1] - offsets[0]);
        stream_.seekg(std::streamoff(start_ + offsets[0]));
        stream_.read(bytes.data(), std::streamsize(bytes.size()));
        return Tensor::from(dtypeFromName(entry.at("dtype").get<std::string>()), entry.at("shape").get<std::vector<int64_t>>(),
                            std::move(bytes));
    }
    std::vector<float> floats(const std::string& name) { return read(name).toFloat(); }
    std::vector<int32_t> integers(const std::string& name) {
        const auto wide = read(name).toInteger();
        return {wide.begin(), wide.end()};
    }

private:
    std::ifstream stream_;
    Json header_;
    uint64_t start_ = 0;
};

inline Archive model(const std::string& which) { return Archive(OWQ_SAMPLE "/sample-" + which + "/model.safetensors"); }
inline Archive run(const std::string& which, const std::string& name) {
    return Archive(OWQ_TEST_DATA "/reference/" + which + "/" + name + ".safetensors");
}
inline Json index(const std::string& which) {
    std::ifstream stream(OWQ_TEST_DATA "/reference/" + which + "/reference.json");
    return Json::parse(stream);
}

/// Linears of block 0 whose whole Hessian is recorded, with the name under which it is.
inline std::vector<std::pair<std::string, std::string>> blockZero(const std::string& which) {
    const std::string p = which == "opt" ? "model.decoder.layers.0." : "model.layers.0.";
    const std::string q = p + "self_attn.q_proj";
    std::vector<std::pair<std::string, std::string>> all{{q, q}, {p + "self_attn.k_proj", q}, {p + "self_attn.v_proj", q}};
    const std::string out = p + (which == "opt" ? "self_attn.out_proj" : "self_attn.o_proj");
    all.emplace_back(out, out);
    if (which == "opt") {
        all.emplace_back(p + "fc1", p + "fc1");
    } else {
        all.emplace_back(p + "mlp.gate_proj", p + "mlp.up_proj");
        all.emplace_back(p + "mlp.up_proj", p + "mlp.up_proj");
    }
    return all;
}

}  // namespace owq::golden
