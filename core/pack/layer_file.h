// SPDX-License-Identifier: Apache-2.0
// One finished linear of a run: layers/<name>.safetensors.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/tensor.h"
#include "core/pack/packed_model.h"
#include "core/quantize/quantize.h"

namespace owq {

/// Tensors: codes U8 [out, in], scale F32 [out, groups], zero F32 [out, groups], weak_columns I32 [k], weak_weight [out, k] in
/// `type`, and the statistics by their names in statistics.h5. Metadata: name, bits, group_size, symmetric, error, damping, tokens,
/// notes. Written whole, synced, renamed into place.
void writeLayerFile(const std::filesystem::path& file, const std::string& name, const LinearOutcome& outcome, DType type);
/// Checks every shape and range; Error names file and tensor. Seconds are not stored.
LinearOutcome readLayerFile(const std::filesystem::path& file);

/// Named as the file. From its header alone: no weight is touched.
LinearShape readLayerShape(const std::filesystem::path& file);

}  // namespace owq
