// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <memory>
#include <string>

namespace owq {

class Device;

enum class DeviceKind { cpu, cuda };
std::string deviceKindName(DeviceKind kind);
DeviceKind deviceKindFromName(const std::string& name);  ///< Error on another name

/// What is to compute a run; null for the CPU, which is always there. cuda: the first GPU. Throws Error saying what is missing
/// (the driver, a GPU, libowq_kernels_cuda.so, LibTorch's CUDA half), where it was looked for and what to do. Call it before the
/// process computes anything: LibTorch asks only once whether it has a CUDA half.
std::shared_ptr<const Device> openDevice(DeviceKind kind);

std::string deviceName(const Device& device);          ///< for a person
uint64_t freeMemoryBytes(const Device& device);        ///< of its own, now; 0: it has none of its own
int64_t tokensPerPass(DeviceKind kind);                ///< that a forward pass is given

}  // namespace owq
