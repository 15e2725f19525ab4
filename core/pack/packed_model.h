// SPDX-License-Identifier: Apache-2.0
// Packed models on disk: our `owq` folder, the authors' `.pth` and GPTQ checkpoints (resources/help/format.md).
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/progress.h"
#include "core/base/tensor.h"
#include "core/checkpoint/checkpoint.h"
#include "core/pack/packed_linear.h"
#include "core/quantize/quantized_linear.h"

namespace owq {

/// A packed model, opened by headers only; linears are unpacked when asked for. Safe for several readers.
class PackedModel {
public:
    /// `path`: an `owq` or GPTQ folder (or a file in it), or an authors' .pth. Throws Error naming file, tensor and
    /// reason.
    static std::shared_ptr<const PackedModel> open(const std::filesystem::path& path);
    /// By content: a folder whose config.json names quant_method "owq" or "gptq". Never throws.
    static bool isPackedFolder(const std::filesystem::path& folder);
    /// By content: a torch zip that holds model_state_dict, bits and packing. Never throws.
    static bool isPackedTorchFile(const std::filesystem::path& file);

    /// config.json with quantization_config; null for a .pth, which holds none.
    /// A linear of a GPTQ checkpoint whose groups are not runs of neighbouring columns (act-order without static groups) is among the
    /// tensors, as a dequantized F16 weight.
    const Json& config() const { return config_; }
    const std::filesystem::path& path() const { return path_; }
    int bits() const { return bits_; }  ///< of the file; a linear's own are in its shape
    PackLayout layout() const { return layout_; }
    uint64_t packedBytes() const { return packedBytes_; }  ///< of the tensors of all packed linears
    /// In file order.
    const std::vector<LinearShape>& linears() const { return linears_; }
    const LinearShape* find(const std::string& linear) const;  ///< null when absent
    QuantizedLinear linear(const std::string& name) const;     ///< Error when absent or damaged

    /// Everything that is not part of a packed weight, biases of packed linears included.
    const std::vector<TensorInfo>& tensors() const { return tensors_; }
    bool has(const std::string& tensor) const;
    Tensor tensor(const std::string& name) const;  ///< Error when absent

private:
    using Tensors = std::map<std::string, const TensorInfo*, std::less<>>;
    /// How one form of packed linears is kept.
    struct Form {
        std::vector<const char*> parts;  ///< ends of the names of a linear's tensors, the first of them ".qweight"
        const char* optionalPart = nullptr;  ///< the one of these that may be missing
        std::function<LinearShape(const TensorInfo& codes, const Tensors& all)> shape;
        std::function<QuantizedLinear(const LinearShape&)> unpack;
    };
    void sortOut(const std::vector<TensorInfo>& all, const Form& form);
    void sortOutOwn(const std::vector<TensorInfo>& all);
    LinearShape shapeOf(const TensorInfo& codes, const Tensors& all) const;
    static std::shared_ptr<const PackedModel> openFolder(const std::filesystem::path& folder);
    static std::shared_ptr<const PackedModel> openGptq(std::shared_ptr<const Checkpoint> checkpoint);
    static std::shared_ptr<const PackedModel> openTorch(const std::filesystem::path& file);

    std::filesystem::path path_;
    Json config_;
    int bits_ = 0;
    PackLayout layout_ = PackLayout::latency;
    int64_t groupSize_ = 0;
    bool symmetric_ = false;
    uint64_t packedBytes_ = 0;
    std::function<Tensor(const std::string&)> read_;
    std::function<QuantizedLinear(const LinearShape&)> unpack_;
    std::string codesPart_;  ///< of a linear's tensors, what the name of its codes ends with
    std::vector<LinearShape> linears_;
    std::vector<TensorInfo> tensors_;
    std::map<std::string, size_t, std::less<>> linearIndex_, tensorIndex_;
};

enum class PackFormat { owq, owqPth, dense, gptq };
PackFormat packFormatFromName(
    const std::string& name);  ///< "owq", "owq-pth", "dense", "gptq"; Error with the known names
std::string packFormatName(PackFormat format);

/// What is to be written. Only `owq` knows a layout other than latency.
struct PackTarget {
    PackTarget(PackFormat f, PackLayout l = PackLayout::latency) : format(f), layout(l) {}
    PackFormat format;
    PackLayout layout;
};
/// Who can load it, for a person.
std::string loadableBy(PackFormat format);

using LinearProvider = std::function<QuantizedLinear(const std::string& linear)>;

/// A finished run, as the writers need it.
struct PackSource {
    std::shared_ptr<const Checkpoint>
        base;  ///< gives config, tokenizer files and every tensor that is not quantized
    std::vector<LinearShape> linears;  ///< the quantized ones, by checkpoint name without ".weight"
    LinearProvider linear;
    double targetBits = 0;  ///< written to quantization_config when above 0
    std::vector<std::string> keptLinears;  ///< linears of its blocks that are not quantized
    bool storedTransposed = false;  ///< the base holds the weights of these linears as [columns, rows]
};

struct PackResult {
    std::filesystem::path out;
    uint64_t bytes = 0;                     ///< on disk
    uint64_t packedBytes = 0;               ///< of the packed linears' tensors in the file; dense: 0
    std::vector<std::string> verification;  ///< what was compared after reloading, for a person
};

/// Writes under a temporary name beside `out`, reloads and compares, renames. `out` must not exist unless
/// `replace`. Runs that the format cannot hold are refused before anything is written. One linear at a time is in memory; the free space is checked first. A stop or an error leaves
/// nothing behind.
PackResult writeModel(const PackSource& source, PackTarget target, const std::filesystem::path& out,
                      bool replace, Progress& progress, std::stop_token stop);

/// Compares what lies at `path` with the source: codes, zeros and weak columns equal; scales and weak weights
/// (dense: weights) equal to the stated rounding; all other tensors byte-equal. Returns what was compared;
/// throws Error at the first difference.
std::vector<std::string> verifyModel(const PackSource& source, PackFormat format,
                                     const std::filesystem::path& path, Progress& progress,
                                     std::stop_token stop);

}  // namespace owq
