// SPDX-License-Identifier: Apache-2.0
// A run directory as a model: quantized linears from layers/, everything else from the checkpoint that
// recipe.json names.
#include <set>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/model/open_source.h"
#include "core/pack/layer_file.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
constexpr uint64_t kHashedBytes = uint64_t(256) << 20;  // larger files are told apart by their size only

fs::path modelOf(const Json& recipe, const fs::path& folder, const std::string& where) {
    const std::string relative = optional<std::string>(recipe, "model_relative", "", where);
    std::error_code ignored;
    if (!relative.empty() && fs::exists(folder / relative, ignored))
        return fs::weakly_canonical(folder / relative);
    const fs::path absolute = required<std::string>(recipe, "model", where);
    if (fs::exists(absolute, ignored)) return absolute;
    throw Error("the run's model is no longer at " + absolute.string(), where, "Put the model back there.");
}

/// The run's weights only make sense with the very checkpoint it was made from.
void checkFiles(const Json& recipe, const fs::path& model, const std::string& where) {
    if (!recipe.contains("model_files")) return;
    const Json& files = recipe.at("model_files");
    if (!files.is_object())
        throw Error("model_files is not an object", where, "The run directory is damaged; run it again.");
    const fs::path folder = fs::is_directory(model) ? model : model.parent_path();
    for (const auto& [name, expected] : files.items()) {
        const fs::path file = folder / fs::path(name).filename();
        std::error_code failed;
        const uint64_t size = fs::file_size(file, failed);
        if (failed)
            throw Error("the run's model lacks the file " + name, folder.string(),
                        "Put the model back as it was.");
        bool same = true;
        if (expected.is_number_unsigned())
            same = expected.get<uint64_t>() == size;
        else if (expected.is_string() && size <= kHashedBytes)
            same = expected.get<std::string>() == sha256File(file);
        if (!same)
            throw Error("the model has changed since the run", file.string(),
                        "Put the model back as it was, or quantize the changed one into another directory.");
    }
}

class RunSource final : public CheckpointSource {
public:
    RunSource(std::shared_ptr<const Checkpoint> checkpoint, fs::path folder, const Json& recipe)
        : CheckpointSource(std::move(checkpoint)), folder_(std::move(folder)) {
        const std::string where = (folder_ / "recipe.json").string();
        if (!recipe.contains("linears") || !recipe.at("linears").is_array())
            throw Error("the list of linears is missing", where,
                        "The run directory is damaged; run it again with --force.");
        size_t missing = 0;
        for (const Json& entry : recipe.at("linears")) {
            const std::string name =
                entry.is_string() ? entry.get<std::string>() : required<std::string>(entry, "name", where);
            if (!info_.find(name))
                throw Error("the model has no linear " + name, where, "The run belongs to another model.");
            linears_.insert(name);
            missing += !fs::exists(file(name));
        }
        if (missing)
            throw Error("the run is not finished: " + std::to_string(linears_.size() - missing) + " of " +
                            std::to_string(linears_.size()) + " linears are done",
                        folder_.string(),
                        "Finish it with `owq quantize … --out " + folder_.string() + " --resume`.");
    }

    ModelKind kind() const override { return ModelKind::run; }
    bool has(const std::string& tensor) const override {
        return !replaced(tensor) && CheckpointSource::has(tensor);
    }
    Tensor tensor(const std::string& tensor) const override {
        if (replaced(tensor)) throw Error("this weight is quantized", tensor, "Ask for the linear.");
        return CheckpointSource::tensor(tensor);
    }
    bool quantized(const std::string& linear) const override { return linears_.contains(linear); }
    QuantizedLinear linear(const std::string& name) const override {
        if (!quantized(name)) return CheckpointSource::linear(name);
        QuantizedLinear weight = readLayerFile(file(name)).weight;
        const LinearInfo& info = *info_.find(name);
        if (weight.rows != info.rows || weight.columns != info.columns)
            throw Error("the codes are " + shapeText(std::vector{weight.rows, weight.columns}) +
                            ", the model's linear is " + shapeText(std::vector{info.rows, info.columns}),
                        file(name).string(), "The run belongs to another model.");
        return weight;
    }
    std::vector<fs::path> files() const override {
        std::vector<fs::path> files = CheckpointSource::files();
        files.push_back(folder_ / "recipe.json");
        for (const std::string& name : linears_) files.push_back(file(name));
        return files;
    }

private:
    fs::path file(const std::string& linear) const { return folder_ / "layers" / (linear + ".safetensors"); }
    bool replaced(const std::string& tensor) const {
        return tensor.ends_with(".weight") && linears_.contains(tensor.substr(0, tensor.size() - 7));
    }

    fs::path folder_;
    std::set<std::string> linears_;
};

}  // namespace

std::shared_ptr<const ModelSource> openRunModel(const fs::path& folder) {
    const Json recipe = readJson(folder / "recipe.json");
    const std::string where = (folder / "recipe.json").string();
    if (optional<std::string>(recipe, "kind", "run", where) == "analysis")
        throw Error("this folder holds an analysis; nothing in it is quantized", folder.string(),
                    "Give the model itself, or the directory of a quantized run.");
    const fs::path model = modelOf(recipe, folder, where);
    checkFiles(recipe, model, where);
    return std::make_shared<RunSource>(Checkpoint::open(model), folder, recipe);
}

}  // namespace owq
