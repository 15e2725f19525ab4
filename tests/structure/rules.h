// SPDX-License-Identifier: Apache-2.0
// The rules of the house (ARCHITECTURE.md), each a function that lists what breaks it as "path:line: what is
// wrong".
#pragma once

#include "tests/structure/source_tree.h"

namespace owq::structure {

using Violations = std::vector<std::string>;

struct Room {
    std::string_view folder;
    int floor;
};

// The house, ground up. A new room gets its line in this table and in the one of ARCHITECTURE.md.
const std::vector<Room>& rooms();

// Every file of app, core, kernels and widgets lives in a room of the table in rules.cpp.
Violations filesOutsideRooms(const SourceTree& tree);
// A room includes itself and rooms on lower floors only.
Violations includesUpward(const SourceTree& tree);
// No header reaches itself through includes.
Violations includeCircles(const SourceTree& tree);
// Includes of the project's own files are written from the root.
Violations relativeIncludes(const SourceTree& tree);
// LibTorch, Qt, QCustomPlot, HDF5 and so on only where the table in rules.cpp lets them in.
Violations librariesOutOfPlace(const SourceTree& tree);
// A header that brings in LibTorch, directly or not, is included by core (and tests) only.
Violations torchLeaks(const SourceTree& tree);
// The first line (after #!) names the licence, in C++ the one of the folder.
Violations licenceLines(const SourceTree& tree);
// 800 lines at most; the main window 500.
Violations longFiles(const SourceTree& tree);
Violations tabs(const SourceTree& tree);

}  // namespace owq::structure
