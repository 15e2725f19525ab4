// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/features.h"

#include <algorithm>
#include <atomic>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace owq::kernels {
namespace {

#if defined(__x86_64__)
/// __builtin_cpu_supports does not know its name in every compiler.
bool hasF16c() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}
#endif

InstructionSet detect() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && hasF16c()) {
        if (!__builtin_cpu_supports("avx512f")) return InstructionSet::avx2;
        const bool vnni = __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
        return vnni ? InstructionSet::vnni : InstructionSet::avx512;
    }
#endif
    return InstructionSet::scalar;
}

std::atomic<InstructionSet> limit{kBestInstructionSet};

}  // namespace

InstructionSet instructionSet() {
    static const InstructionSet best = detect();
    return std::min(best, limit.load(std::memory_order_relaxed));
}

void limitInstructionSet(InstructionSet set) {
    limit = set;
}

}  // namespace owq::kernels
