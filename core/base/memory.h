// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace owq {

/// Keeps large buffers inside the process instead of handing each back to the kernel: page faults otherwise dominate
/// tensor code on virtual machines. Call once at program start, before threads.
void tuneAllocator();
/// Hands back what is kept, where that is much and the next step needs other sizes.
void returnFreeMemory();

/// Largest resident memory of this process so far, bytes.
uint64_t peakMemoryBytes();
/// Resident memory of this process now.
uint64_t residentMemoryBytes();
/// What this process may still take: what the system says is available, or what its control group leaves if that is less.
uint64_t availableMemoryBytes();

}  // namespace owq
