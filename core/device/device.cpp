// SPDX-License-Identifier: Apache-2.0
#include "core/device/device.h"

#include "core/base/error.h"
#include "core/device/open_device.h"

namespace owq {

std::string deviceKindName(DeviceKind kind) { return kind == DeviceKind::cuda ? "cuda" : "cpu"; }

DeviceKind deviceKindFromName(const std::string& name) {
    if (name == "cpu") return DeviceKind::cpu;
    if (name == "cuda") return DeviceKind::cuda;
    throw Error("there is no device \"" + name + "\"", {}, "Choose cpu or cuda");
}

std::string deviceName(const Device& device) { return device.name(); }
uint64_t freeMemoryBytes(const Device& device) { return device.freeMemoryBytes(); }
int64_t tokensPerPass(DeviceKind kind) { return kind == DeviceKind::cuda ? kDeviceTokens : kHostTokens; }

}  // namespace owq
