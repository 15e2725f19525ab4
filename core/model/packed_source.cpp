// SPDX-License-Identifier: Apache-2.0
// Packed models, our folder and the authors' file, as models.
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/model/open_source.h"
#include "core/pack/packed_model.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
constexpr std::string_view kWeight = ".weight";

class PackedSource final : public ModelSource {
public:
    PackedSource(std::shared_ptr<const PackedModel> model, ModelKind kind, fs::path folder, Json config)
        : model_(std::move(model)), kind_(kind), folder_(std::move(folder)), config_(std::move(config)) {
        const ModelConfig parsed = parseModelConfig(config_, (folder_ / "config.json").string());
        std::map<std::string, TensorShape> dense;
        for (const TensorInfo& tensor : model_->tensors())
            dense.emplace(tensor.name, TensorShape{tensor.dtype, tensor.shape});
        const ShapeLookup find = [&](const std::string& name) -> std::optional<TensorShape> {
            if (const auto found = dense.find(name); found != dense.end()) return found->second;
            if (!name.ends_with(kWeight)) return std::nullopt;
            const LinearShape* linear = model_->find(name.substr(0, name.size() - kWeight.size()));
            if (!linear) return std::nullopt;
            // As the checkpoint that it stands for would store it.
            if (parsed.family->storedTransposed) return TensorShape{DType::f16, {linear->columns, linear->rows}};
            return TensorShape{DType::f16, {linear->rows, linear->columns}};
        };
        const std::string where = model_->path().string();
        info_ = buildModelInfo(parsed, resolveNames(parsed, find, where), find, where);
    }

    ModelKind kind() const override { return kind_; }
    const ModelInfo& info() const override { return info_; }
    const Json& config() const override { return config_; }
    fs::path tokenizerFolder() const override { return folder_; }
    bool has(const std::string& tensor) const override { return model_->has(tensor); }
    Tensor tensor(const std::string& tensor) const override { return model_->tensor(tensor); }
    bool quantized(const std::string& linear) const override { return model_->find(linear) != nullptr; }
    QuantizedLinear linear(const std::string& linear) const override { return model_->linear(linear); }
    std::vector<fs::path> files() const override {
        const bool lone = kind_ == ModelKind::pth;
        std::vector<fs::path> files = lone ? std::vector{model_->path()} : Checkpoint::open(folder_)->files();
        files.push_back(folder_ / "config.json");
        return files;
    }

private:
    std::shared_ptr<const PackedModel> model_;
    ModelKind kind_;
    fs::path folder_;
    Json config_;
    ModelInfo info_;
};

}  // namespace

std::shared_ptr<const ModelSource> openPacked(const fs::path& path) {
    auto model = PackedModel::open(path);
    const fs::path folder = fs::is_directory(path) ? path : path.parent_path();
    Json config = model->config();
    return std::make_shared<PackedSource>(std::move(model), ModelKind::packed, folder, std::move(config));
}

std::shared_ptr<const ModelSource> openPth(const fs::path& file, const fs::path& modelFolder) {
    const fs::path folder = fs::is_directory(modelFolder) ? modelFolder : modelFolder.parent_path();
    return std::make_shared<PackedSource>(PackedModel::open(file), ModelKind::pth, folder,
                                          readJson(folder / "config.json"));
}

}  // namespace owq
