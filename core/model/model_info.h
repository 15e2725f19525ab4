// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/tensor.h"

namespace owq {

/// One quantizable linear of a model.
struct LinearInfo {
    std::string name;        ///< as in the checkpoint, without ".weight": "model.layers.0.self_attn.q_proj"
    int block = 0;           ///< transformer block, from 0
    std::string kind;        ///< q, k, v (or qkv in one), o, gate, up (or gate_up in one), down
    std::string inputGroup;  ///< linears of one block with the same group see the same input and share a Hessian
    int64_t rows = 0, columns = 0;
    DType dtype = DType::f16;
    bool bias = false;
    bool feedForward = false;
};

/// What headers and config tell about a model.
struct ModelInfo {
    std::string family;        ///< its name in the family table: "opt", "llama"
    int64_t parameters = 0;    ///< of the checkpoint, tied tensors once
    uint64_t bytes = 0;        ///< of its tensors
    int blocks = 0;
    int64_t hidden = 0, heads = 0, keyValueHeads = 0, feedForward = 0, vocabulary = 0, maxPositions = 0;
    DType dtype = DType::f16;  ///< of the weights
    bool tiedHead = false;
    double weakRatio = 0.375;  ///< share of weak columns of feed-forward linears against attention ones (0.25 without a gate)
    std::vector<LinearInfo> linears;  ///< in block order, within a block in the order they are quantized

    const LinearInfo* find(const std::string& name) const {
        for (const LinearInfo& l : linears)
            if (l.name == name) return &l;
        return nullptr;
    }
};

}  // namespace owq
