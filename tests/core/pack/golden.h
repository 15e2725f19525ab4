// SPDX-License-Identifier: Apache-2.0
// The authors' run at 3.05 bits (tests/data/README.md), as this room's tests use it.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "core/checkpoint/tensor_file.h"
#include "core/quantize/quantized_linear.h"

namespace owq::golden {

inline const std::filesystem::path kData = OWQ_TEST_DATA "/reference";

struct Run {
    explicit Run(const std::string& model)
        : file(openSafetensors(kData / model / "owq3.05.safetensors")),
          packed(kData / model / "owq3.05.pth") {
        for (const TensorInfo& t : file->tensors())
            if (t.name.ends_with(".codes_nib")) linears.push_back(t.name.substr(0, t.name.size() - 10));
    }

    QuantizedLinear linear(const std::string& name) const {
        const Tensor nibbles = file->read(name + ".codes_nib");
        QuantizedLinear q;
        q.rows = nibbles.shape[0], q.columns = nibbles.shape[1] * 2, q.bits = 3;
        for (int64_t i = 0; i < nibbles.count(); ++i) {
            q.codes.push_back(uint8_t(nibbles.data[i]) & 15);
            q.codes.push_back(uint8_t(nibbles.data[i]) >> 4);
        }
        q.scale = file->read(name + ".scale").toFloat();
        q.zero = file->read(name + ".zero").toFloat();
        if (!file->find(name + ".weak_ids")) return q;
        for (int64_t id : file->read(name + ".weak_ids").toInteger()) q.weakColumns.push_back(int32_t(id));
        const int64_t k = int64_t(q.weakColumns.size());
        const std::vector<float> weak =
            k ? file->read(name + ".oweight").toFloat() : std::vector<float>{};  // [k, rows]
        q.weakWeight.resize(weak.size());
        for (int64_t j = 0; j < k; ++j)
            for (int64_t r = 0; r < q.rows; ++r) q.weakWeight[r * k + j] = weak[j * q.rows + r];
        return q;
    }

    std::shared_ptr<const TensorFile> file;
    std::filesystem::path packed;
    std::vector<std::string> linears;
};

}  // namespace owq::golden
