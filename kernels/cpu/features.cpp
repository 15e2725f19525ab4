// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/features.h"

#include <algorithm>
#include <atomic>

namespace owq::kernels {
namespace {

InstructionSet detect() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"))
        return __builtin_cpu_supports("avx512f") ? InstructionSet::avx512 : InstructionSet::avx2;
#endif
    return InstructionSet::scalar;
}

std::atomic<InstructionSet> limit{InstructionSet::avx512};

}  // namespace

InstructionSet instructionSet() {
    static const InstructionSet best = detect();
    return std::min(best, limit.load(std::memory_order_relaxed));
}

void limitInstructionSet(InstructionSet set) {
    limit = set;
}

}  // namespace owq::kernels
