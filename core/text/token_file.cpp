// SPDX-License-Identifier: Apache-2.0
#include <fstream>

#include "core/checkpoint/sniff.h"
#include "core/checkpoint/tensor_file.h"
#include "core/text/corpus.h"
#include "core/text/token_checks.h"

namespace owq {

void refusePointer(const std::filesystem::path& file) {
    char begin[256];
    std::ifstream stream(file, std::ios::binary);
    stream.read(begin, sizeof begin);
    refuseLfsPointer(std::as_bytes(std::span(begin, size_t(stream.gcount()))), file);
}

StoredTokens readStoredTokens(const std::string& file) {
    const auto tensors = openSafetensors(file);
    if (!tensors->find("input_ids")) {
        std::string names;
        for (const TensorInfo& info : tensors->tensors())
            if (names.size() < 200) names += (names.empty() ? "" : ", ") + info.name;
        throw Error("there is no tensor \"input_ids\" (there is: " + names + ")", file);
    }
    const Tensor tensor = tensors->read("input_ids");
    if (tensor.shape.empty() || tensor.shape.size() > 2)
        throw Error("\"input_ids\" has the shape " + shapeText(tensor.shape) + ", expected [n] or [n, length]", file);
    StoredTokens result{tensor.shape, {}};
    const std::vector<int64_t> values = tensor.toInteger();
    result.ids.reserve(values.size());
    for (int64_t value : values) {
        if (value < 0 || value > INT32_MAX) throw Error("\"input_ids\" holds " + std::to_string(value) + ", which is no token id", file);
        result.ids.push_back(int32_t(value));
    }
    return result;
}

std::vector<int32_t> readTokenFile(const std::filesystem::path& file) {
    StoredTokens stored = readStoredTokens(file.string());
    if (stored.shape.size() == 2 && stored.shape[0] != 1)
        throw Error("\"input_ids\" has the shape " + shapeText(stored.shape) + ", expected [n] or [1, n]", file.string());
    return std::move(stored.ids);
}

}  // namespace owq
