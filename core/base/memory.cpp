// SPDX-License-Identifier: Apache-2.0
#include "core/base/memory.h"

#include <malloc.h>
#include <sys/resource.h>

namespace owq {

void tuneAllocator() {
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 2047 << 20);
    mallopt(M_TOP_PAD, 256 << 20);
}

uint64_t peakMemoryBytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return uint64_t(usage.ru_maxrss) * 1024;
}

}  // namespace owq
