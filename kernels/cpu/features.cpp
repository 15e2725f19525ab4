// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/features.h"

#include <algorithm>
#include <atomic>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
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

/// Whether the processor has tiles of 8-bit numbers, the system keeps them for each thread, and it lets this process use them.
bool hasTiles() {
#if defined(__x86_64__) && defined(__linux__)
    constexpr unsigned kTiles = 1u << 24, kTileBytes = 1u << 25;   // leaf 7, EDX: AMX-TILE, AMX-INT8
    constexpr unsigned kConfigAndData = 3u << 17;                  // XCR0
    constexpr long kRequestPermission = 0x1023, kTileData = 18;    // arch_prctl, ARCH_REQ_XCOMP_PERM
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) return false;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & (kTiles | kTileBytes)) != (kTiles | kTileBytes)) return false;
    unsigned low = 0, high = 0;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & kConfigAndData) == kConfigAndData && ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
    return false;
#endif
}

InstructionSet detect() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && hasF16c()) {
        if (!__builtin_cpu_supports("avx512f")) return InstructionSet::avx2;
        const bool vnni = __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
        if (!vnni) return InstructionSet::avx512;
        return hasTiles() ? InstructionSet::amx : InstructionSet::vnni;
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
