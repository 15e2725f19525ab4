// SPDX-License-Identifier: Apache-2.0
#include "core/pack/packed_model.h"

#include <algorithm>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/checkpoint/torch_pickle.h"

namespace owq {
namespace {

const std::vector<const char*> kParts = {".qweight", ".scales", ".zeros", ".oweight", ".outlieridx"};

bool endsWith(const std::string& text, std::string_view end) {
    return text.size() > end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

const Json* quantizationConfig(const Json& config, const char* method = "owq") {
    if (!config.is_object() || !config.contains("quantization_config")) return nullptr;
    const Json& q = config["quantization_config"];
    return q.is_object() && q.contains("quant_method") && q["quant_method"] == method ? &q : nullptr;
}

template <class T>
const T& field(const PickleValue& root, const char* key, const char* what, const std::string& where) {
    const PickleValue* value = root.find(key);
    const T* held = value ? std::get_if<T>(&value->value) : nullptr;
    if (!held)
        throw Error("has no " + std::string(what) + " \"" + key +
                        "\": it is no packed checkpoint of the authors' code",
                    where);
    return *held;
}

}  // namespace

bool PackedModel::isPackedFolder(const std::filesystem::path& folder) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(folder / "config.json", ignored)) return false;
    try {
        const Json config = readJson(folder / "config.json");
        return quantizationConfig(config) || quantizationConfig(config, "gptq");
    } catch (const std::exception&) {
        return false;
    }
}

bool PackedModel::isPackedTorchFile(const std::filesystem::path& file) {
    std::error_code ignored;
    if (!std::filesystem::is_regular_file(file, ignored)) return false;
    try {
        const PickleValue root = readTorchFile(file);
        return root.find("model_state_dict") && root.find("bits") && root.find("packing");
    } catch (const std::exception&) {
        return false;
    }
}

std::shared_ptr<const PackedModel> PackedModel::open(const std::filesystem::path& path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) return openFolder(path);
    const std::filesystem::path folder =
        path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
    const std::string extension = path.extension().string();
    if ((extension == ".safetensors" || extension == ".json") && isPackedFolder(folder))
        return openFolder(folder);
    return openTorch(path);
}

std::shared_ptr<const PackedModel> PackedModel::openFolder(const std::filesystem::path& folder) {
    const auto checkpoint = Checkpoint::open(folder);
    if (quantizationConfig(checkpoint->config(), "gptq")) return openGptq(checkpoint);
    std::shared_ptr<PackedModel> model(new PackedModel);
    model->path_ = folder;
    model->config_ = checkpoint->config();
    const std::string where = (folder / "config.json").string();
    const Json* quantization = quantizationConfig(model->config_);
    if (!quantization) throw Error("has no quantization_config with quant_method \"owq\"", where);
    try {
        model->layout_ = packLayoutFromName(optional<std::string>(*quantization, "layout", "latency", where));
    } catch (const Error& e) {
        throw Error("has the " + e.happened(), where, e.remedy());
    }
    model->groupSize_ = optional<int64_t>(*quantization, "group_size", 0, where);
    if (model->groupSize_ < 0) throw Error("has a negative group_size", where);
    model->symmetric_ = optional<bool>(*quantization, "symmetric", false, where);
    model->bits_ = checkedPackedWidth(required<int64_t>(*quantization, "bits", where), where);
    model->read_ = [checkpoint](const std::string& name) { return checkpoint->read(name); };
    model->sortOutOwn(checkpoint->tensors());
    return model;
}

std::shared_ptr<const PackedModel> PackedModel::openTorch(const std::filesystem::path& file) {
    const PickleValue root = readTorchFile(file);
    const std::string where = file.string();
    std::shared_ptr<PackedModel> model(new PackedModel);
    model->path_ = file;
    const PickleDict& state = field<PickleDict>(root, "model_state_dict", "dictionary", where);
    model->bits_ = checkedPackedWidth(field<int64_t>(root, "bits", "number", where), where);
    if (model->bits_ != 3 && model->bits_ != 4)
        throw Error(std::to_string(model->bits_) + "-bit packed weights are not supported in the authors' file", where);
    if (!field<bool>(root, "packing", "flag", where))
        throw Error("says that its weights are not packed", where);
    auto tensors = std::make_shared<std::map<std::string, Tensor>>();
    std::vector<TensorInfo> infos;
    for (const auto& [name, value] : state) {
        const Tensor* tensor = std::get_if<Tensor>(&value.value);
        if (!tensor)
            throw Error("entry \"" + name.substr(0, 200) + "\" of model_state_dict is no tensor", where);
        if (!tensors->emplace(name, *tensor).second)
            throw Error("names tensor \"" + name + "\" twice", where);
        infos.push_back({name, tensor->dtype, tensor->shape, file, tensor->bytes()});
    }
    model->read_ = [tensors](const std::string& name) { return tensors->at(name); };
    model->sortOutOwn(infos);
    return model;
}

LinearShape PackedModel::shapeOf(const TensorInfo& codes, const Tensors& byName) const {
    LinearShape shape;
    shape.name = codes.name.substr(0, codes.name.size() - 8);
    const std::string where = codes.file.string() + ", " + shape.name;
    const Json* quantization = quantizationConfig(config_);
    shape.bits = bits_;
    if (quantization && quantization->contains("linear_bits"))
        shape.bits = checkedPackedWidth(
            optional<int64_t>((*quantization)["linear_bits"], shape.name.c_str(), bits_, where), where);
    shape.groupSize = groupSize_;
    shape.symmetric = symmetric_;
    const TensorInfo& ids = *byName.at(shape.name + ".outlieridx");
    if (ids.shape.size() != 1) throw Error("tensor " + ids.name + " is no list", where);
    shape.weakColumns = ids.shape[0];
    const TensorInfo& scales = *byName.at(shape.name + ".scales");
    if (scales.shape.size() != 2) throw Error("tensor " + scales.name + " is no matrix", where);
    const bool storage = layout_ == PackLayout::storage;
    const auto refuse = [&]() {
        throw Error("tensor " + codes.name + " is " + std::string(owq::name(codes.dtype)) + " " + shapeText(codes.shape) +
                        ": no " + std::to_string(shape.bits) + "-bit packed weight in the layout " + packLayoutName(layout_),
                    where);
    };
    if (codes.shape.size() != 2 || codes.shape[0] <= 0 || codes.shape[1] <= 0 || codes.dtype != (storage ? DType::u8 : DType::i32))
        refuse();
    if (storage) {
        shape.rows = scales.shape[0];
        shape.columns = codes.shape[0] + shape.weakColumns;
        if (shape.rows <= 0 || shape.columns % 32 || codes.shape[1] != (shape.rows * shape.bits + 7) / 8) refuse();
    } else {
        if (codes.shape[0] % shape.bits) refuse();
        shape.rows = codes.shape[1];
        shape.columns = codes.shape[0] / shape.bits * 32;
    }
    return shape;
}

void PackedModel::sortOutOwn(const std::vector<TensorInfo>& all) {
    sortOut(all, {.parts = kParts,
                  .shape = [this](const TensorInfo& codes, const Tensors& byName) { return shapeOf(codes, byName); },
                  .unpack = [read = read_, layout = layout_, path = path_.string()](const LinearShape& s) {
                      const PackedLinear tensors{s.bits, read(s.name + ".qweight"), read(s.name + ".scales"), read(s.name + ".zeros"),
                                                 read(s.name + ".oweight"), read(s.name + ".outlieridx"), s.groupSize, s.symmetric, layout};
                      return owq::unpack(tensors, s.rows, s.columns, path + ", " + s.name);
                  }});
}

void PackedModel::sortOut(const std::vector<TensorInfo>& all, const Form& form) {
    unpack_ = form.unpack;
    codesPart_ = form.parts[0];
    Tensors byName;
    for (const TensorInfo& t : all) byName.emplace(t.name, &t);
    for (const TensorInfo& t : all) {
        if (!endsWith(t.name, form.parts[0])) continue;
        const std::string linear = t.name.substr(0, t.name.size() - std::string_view(form.parts[0]).size());
        for (const char* part : form.parts) {
            const auto found = byName.find(linear + part);
            if (found != byName.end())
                packedBytes_ += found->second->bytes;
            else if (part != form.optionalPart)
                throw Error("tensor " + linear + part + " is missing", t.file.string() + ", " + linear);
        }
        LinearShape shape = form.shape(t, byName);
        linearIndex_.emplace(shape.name, linears_.size());
        linears_.push_back(std::move(shape));
    }
    if (linears_.empty()) throw Error("holds no packed weight", path_.string());
    for (const TensorInfo& t : all) {
        const size_t dot = t.name.rfind('.');
        const bool part = dot != std::string::npos && linearIndex_.count(t.name.substr(0, dot)) &&
                          std::any_of(form.parts.begin(), form.parts.end(), [&](const char* p) {
                              return t.name.compare(dot, std::string::npos, p) == 0;
                          });
        if (part) continue;
        tensorIndex_.emplace(t.name, tensors_.size());
        tensors_.push_back(t);
    }
}

const LinearShape* PackedModel::find(const std::string& linear) const {
    const auto it = linearIndex_.find(linear);
    return it == linearIndex_.end() ? nullptr : &linears_[it->second];
}

QuantizedLinear PackedModel::linear(const std::string& name) const {
    const LinearShape* shape = find(name);
    if (!shape) throw Error("has no packed linear \"" + name + "\"", path_.string());
    QuantizedLinear weight = unpack_(*shape);
    const Tensor codes = read_(name + codesPart_);
    releasePages(codes.data, codes.bytes());  // or a model that runs would count twice as memory in use
    return weight;
}

bool PackedModel::has(const std::string& tensor) const {
    return tensorIndex_.count(tensor) != 0;
}

Tensor PackedModel::tensor(const std::string& name) const {
    if (!has(name)) throw Error("has no tensor \"" + name + "\"", path_.string());
    return read_(name);
}

}  // namespace owq
