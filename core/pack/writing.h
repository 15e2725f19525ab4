// SPDX-License-Identifier: Apache-2.0
// Private to core/pack: what the writers and the comparison share.
#pragma once
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/pack/packed_model.h"
#include "core/pack/tensor_stream.h"

namespace owq::packing {

/// A share of a job's progress, counted in items.
class Meter {
public:
    Meter(Progress& progress, std::string phase, double from, double to, size_t items)
        : progress_(progress), phase_(std::move(phase)), from_(from), to_(to), items_(items ? items : 1) {}
    void next(const std::string& item, const std::stop_token& stop) {
        checkStop(stop);
        progress_.report(phase_, item, from_ + (to_ - from_) * double(done_++) / double(items_));
    }

private:
    Progress& progress_;
    std::string phase_;
    double from_, to_;
    size_t items_, done_ = 0;
};

/// The quantized linears by the name of the tensor that they replace ("….weight").
std::map<std::string, const LinearShape*, std::less<>> replacedWeights(const PackSource& source);
/// Scales and weak weights keep the dtype of the weight they replace (F16 where that is no 16 or 32 bit
/// float).
DType storedType(const PackSource& source, const std::string& linear);
/// The one dtype of an authors' file: the weights' own, F16 for any but half and bfloat16.
DType torchType(const PackSource& source);
/// The name a tensor has in an authors' file: always with the language model's "model." in front.
std::string torchName(const PackSource& source, const std::string& name);
/// Names in the order in which the model's modules are declared (OPT, LLaMA; others: numbers ascending, then
/// by name), which is the order of the authors' files.
void sortAsModules(std::vector<std::string>& names, bool opt);
/// Does the model call for the order of OPT's modules?
bool isOpt(const PackSource& source);
/// The dequantized linear as the base stores its weight.
Tensor denseWeight(const PackSource& source, const TensorInfo& stored, const std::string& linear);
/// As `type` when it is a floating tensor of another type.
Tensor asType(const Tensor& tensor, DType type);
/// Same dtype, shape and bytes.
bool identical(const Tensor& a, const Tensor& b);

/// The tensors of a packed linear in the order in which they are written.
std::vector<TensorPlan> packedPlan(const LinearShape& shape, DType type, PackLayout layout);
/// Packs the linear and writes its tensors as planned; errors name it.
void writePacked(const PackSource& source, const std::string& linear, DType type, PackLayout layout,
                 const std::function<void(const std::string&, const Tensor&)>& write);

void writeFolder(const PackSource& source, PackTarget target, const std::filesystem::path& folder,
                 Meter meter, std::stop_token stop);
void writeTorch(const PackSource& source, const std::filesystem::path& file, Meter meter,
                std::stop_token stop);
std::vector<std::string> verify(const PackSource& source, PackFormat format,
                                const std::filesystem::path& path, Meter meter, std::stop_token stop);
/// Size of the result, and of what lies beside it while it is written.
uint64_t forecastBytes(const PackSource& source, PackTarget target);

}  // namespace owq::packing
