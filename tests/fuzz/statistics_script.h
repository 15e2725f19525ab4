// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <span>

namespace owq::fuzz {

/// Changes a good statistics.h5 as the bytes say (attributes, datasets and links of any type, shape and value; always a file that
/// HDF5 itself accepts) and reads it. What is tried is our layer of checks, not libhdf5.
void readScriptedStatistics(std::span<const std::byte> script);

}  // namespace owq::fuzz
