// SPDX-License-Identifier: Apache-2.0
// One program for each target: OWQ_FUZZ_TARGET is its number in targets().
#include <cstdint>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    owq::fuzz::targets()[OWQ_FUZZ_TARGET].run({reinterpret_cast<const std::byte*>(data), size});
    return 0;
}
