// SPDX-License-Identifier: Apache-2.0
#include "core/model/model_source.h"

#include <set>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/torch_pickle.h"
#include "core/model/open_source.h"

namespace owq {

namespace fs = std::filesystem;

std::string modelKindName(ModelKind kind) {
    switch (kind) {
        case ModelKind::checkpoint:
            return "checkpoint";
        case ModelKind::run:
            return "run directory";
        case ModelKind::packed:
            return "packed model";
        case ModelKind::pth:
            return "packed .pth";
        case ModelKind::tensorFile:
            return "tensor file";
        case ModelKind::unknown:
            break;
    }
    return "unknown";
}

ModelNames namesOf(const ModelSource& source, const ModelConfig& config) {
    const ShapeLookup find = [&](const std::string& name) -> std::optional<TensorShape> {  // linears of the blocks are not asked for
        if (!source.has(name)) return std::nullopt;
        const Tensor t = source.tensor(name);
        return TensorShape{t.dtype, t.shape};
    };
    return resolveNames(config, find, "the model");
}

namespace {

bool startsWith(const std::string& text, std::string_view start) {
    return text.compare(0, start.size(), start) == 0;
}

ModelKind kindOfFolder(const fs::path& folder) {
    std::error_code ignored;
    if (fs::exists(folder / "recipe.json", ignored) && fs::is_directory(folder / "layers", ignored))
        return ModelKind::run;
    if (!fs::exists(folder / "config.json", ignored)) return ModelKind::unknown;
    const Json config = readJson(folder / "config.json");
    if (!config.is_object() || !config.contains("quantization_config")) return ModelKind::checkpoint;
    const Json& q = config.at("quantization_config");
    const bool known = q.is_object() && q.contains("quant_method") && (q.at("quant_method") == "owq" || q.at("quant_method") == "gptq");
    return known ? ModelKind::packed : ModelKind::checkpoint;
}

ModelKind kindOfFile(const fs::path& file) {
    const std::string name = file.filename().string(), extension = file.extension().string();
    if (name.size() > 11 && name.ends_with(".index.json")) return ModelKind::checkpoint;
    const bool torch = extension == ".bin" || extension == ".pth" || extension == ".pt";
    if (!torch && extension != ".safetensors") return ModelKind::unknown;
    std::error_code ignored;
    const bool shard = startsWith(name, "model") || startsWith(name, "pytorch_model");
    if (shard && extension != ".pth" && extension != ".pt" &&
        fs::exists(file.parent_path() / "config.json", ignored))
        return kindOfFolder(file.parent_path());
    if (torch && extension != ".bin") {
        const PickleValue root = readTorchFile(file);
        if (root.find("model_state_dict") && root.find("n_out_dict")) return ModelKind::pth;
    }
    return ModelKind::tensorFile;
}

}  // namespace

ModelKind identify(const fs::path& path) {
    try {
        return fs::is_directory(path) ? kindOfFolder(path) : kindOfFile(path);
    } catch (const std::exception&) {
        // Damaged: opening it will say how.
        std::error_code ignored;
        if (fs::is_directory(path, ignored))
            return fs::exists(path / "config.json", ignored) ? ModelKind::checkpoint : ModelKind::unknown;
        return ModelKind::tensorFile;
    }
}

std::string fileState(const ModelSource& model) {
    std::vector<fs::path> files = model.files();
    for (const char* name : {"tokenizer.model", "tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json"})
        files.push_back(model.tokenizerFolder() / name);
    std::string all;
    for (const fs::path& file : files) {
        std::error_code absent;
        const auto written = fs::last_write_time(file, absent);
        if (absent) continue;
        all += file.filename().string() + " " + std::to_string(fs::file_size(file, absent)) + " " + std::to_string(written.time_since_epoch().count()) + "\n";
    }
    return sha256(std::as_bytes(std::span(all)));
}

std::shared_ptr<const ModelSource> ModelSource::open(const fs::path& path, const fs::path& modelFolder) {
    std::error_code ignored;
    if (!fs::exists(path, ignored))
        throw Error("there is no such file or folder", path.string(),
                    "Give the folder of a model, a run directory or a packed model.");
    switch (identify(path)) {
        case ModelKind::checkpoint:
            return openCheckpoint(path);
        case ModelKind::run:
            return openRunModel(path);
        case ModelKind::packed:
            return openPacked(path);
        case ModelKind::pth:
            if (modelFolder.empty())
                throw Error("a packed .pth holds no configuration", path.string(),
                            "Give the folder of its model with --model DIR.");
            return openPth(path, modelFolder);
        case ModelKind::tensorFile:
            throw Error(
                "this is a bare tensor file, not a model", path.string(),
                "Give the folder that holds config.json; `owq inspect` lists the tensors of this file.");
        case ModelKind::unknown:
            break;
    }
    throw Error("this is not a model: there is no config.json and no run's recipe.json", path.string(),
                "Give the folder of a model, a run directory or a packed model.");
}

}  // namespace owq
