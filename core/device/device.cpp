// SPDX-License-Identifier: Apache-2.0
#include "core/device/device.h"

#include <algorithm>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/device/open_device.h"

namespace owq {

std::string deviceKindName(DeviceKind kind) { return kind == DeviceKind::cuda ? "cuda" : "cpu"; }

DeviceKind deviceKindFromName(const std::string& name) {
    if (name == "cpu") return DeviceKind::cpu;
    if (name == "cuda") return DeviceKind::cuda;
    throw Error("there is no device \"" + name + "\"", {}, "Choose cpu or cuda");
}

double medianOf(const std::function<double()>& once, double atLeast, const std::stop_token& stop) {
    constexpr size_t kTimes = 5;
    std::vector<double> times;
    for (double all = 0; times.size() < kTimes || all < atLeast;) {
        checkStop(stop);
        all += times.emplace_back(once());
    }
    std::nth_element(times.begin(), times.begin() + long(times.size() / 2), times.end());
    return times[times.size() / 2];
}

std::string deviceName(const Device& device) { return device.name(); }
uint64_t freeMemoryBytes(const Device& device) { return device.freeMemoryBytes(); }
int64_t tokensPerPass(DeviceKind kind) { return kind == DeviceKind::cuda ? kDeviceTokens : kHostTokens; }

}  // namespace owq
