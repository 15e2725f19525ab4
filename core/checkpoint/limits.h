// SPDX-License-Identifier: Apache-2.0
// What a checkpoint may claim about itself before we refuse to believe it. Real checkpoints stay far below: the largest
// published ones have some 100 shards, 100,000 tensors and headers of a few megabytes.
#pragma once
#include <cstddef>
#include <cstdint>

namespace owq::limits {

inline constexpr size_t kHeaderBytes = 100'000'000;   ///< safetensors header (the format's own cap), index, pickle, zip directory
inline constexpr size_t kNameBytes = 4096;            ///< of a tensor or file name
inline constexpr size_t kRank = 16;
inline constexpr size_t kTensors = 1'000'000;
inline constexpr size_t kShards = 10'000;
inline constexpr size_t kPickleObjects = 4'000'000;   ///< objects, stack slots and memo slots of one pickle, each
inline constexpr size_t kPickleUnfolded = 1'000'000;  ///< of a pickle's objects, with those it shares written out each time
inline constexpr int kPickleDepth = 64;               ///< nesting of the object a pickle describes
inline constexpr uint64_t kStridedBytes = 64u << 20;  ///< views that repeat elements may unfold to this (or to the file's size)

}  // namespace owq::limits
