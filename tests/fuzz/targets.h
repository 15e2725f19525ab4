// SPDX-License-Identifier: Apache-2.0
// Every reader of files from elsewhere, each fed with any bytes. A reader may refuse them (Error); anything else that comes out
// of it ends the process and is a defect. libFuzzer and the replay of its corpus (replay_test.cpp) call the same functions.
#pragma once
#include <cstddef>
#include <span>

namespace owq::fuzz {

struct Target {
    const char* name;          ///< of the program fuzz_<name> and of its inputs, tests/data/fuzz/<name>.corpus
    const char* hostileKind;   ///< kind in tests/data/hostile/index.json whose files are seeds, or null
    const char* hostileFile;   ///< file name of a seed; null: any
    void (*run)(std::span<const std::byte> bytes);
};

std::span<const Target> targets();

}  // namespace owq::fuzz
