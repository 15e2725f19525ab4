// SPDX-License-Identifier: Apache-2.0
// A pickle machine that knows only the opcodes of plain data and the names of torch_globals.h.
#pragma once
#include <cstddef>
#include <span>
#include <string>

#include "core/checkpoint/pickle_graph.h"

namespace owq {

/// Reads one pickle from the start of `bytes`, which must outlive the graph. `used` receives its length.
/// Throws Error with `where`, the byte and the offending global or opcode.
PickleGraph readPickle(std::span<const std::byte> bytes, const std::string& where, size_t* used = nullptr);

}  // namespace owq
