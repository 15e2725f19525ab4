// SPDX-License-Identifier: Apache-2.0
#include "tests/structure/rules.h"

#include <algorithm>
#include <map>
#include <regex>
#include <set>

namespace owq::structure {

const std::vector<Room>& rooms() {
    static const std::vector<Room> table = {
        {"kernels", 1},        {"core/base", 1},      {"widgets", 1},       {"core/checkpoint", 2},
        {"core/device", 2},    {"core/distributed", 2}, {"core/quantize", 3}, {"core/text", 3},
        {"core/pack", 4},      {"core/model", 5},     {"core/calibrate", 6}, {"core/analyze", 7},
        {"core/evaluate", 7},  {"core/generate", 7},  {"core/tune", 7},     {"core/budget", 8},
        {"core/pipeline", 9},  {"core/store", 10},    {"core/jobs", 11},    {"app/cli", 12},
        {"app/workbench", 12},
    };
    return table;
}

namespace {

// Where a library from outside may be included. Tests may include anything.
struct Wall {
    std::string_view library;
    const char* pattern;
    std::vector<std::string_view> allowed;
    std::string_view remedy;
};

const std::vector<Wall>& walls() {
    static const std::vector<Wall> table = {
        {"LibTorch", "^(torch|ATen|c10|caffe2)/", {"core"}, "only sources of core use it"},
        {"the whole of LibTorch", "^torch/(torch|all|extension)\\.h$", {}, "include narrow ATen headers"},
        {"Qt", "^Q[A-Z][A-Za-z0-9]*(/.*)?$", {"widgets", "app/workbench"}, "only the window uses it"},
        {"QCustomPlot",
         "^(.*/)?[Qq][Cc]ustom[Pp]lot(\\.h)?$",
         {"widgets/plot/qcustomplot.h"},
         "include widgets/plot/qcustomplot.h"},
        {"HDF5", "^(hdf5|H5[A-Za-z]*)\\.h$", {"core/store"}, "only the store uses it"},
        {"CUDA",
         "^(cuda|cublas|cusolver|curand)[A-Za-z0-9_]*\\.h$",
         {"kernels/cuda"},
         "only kernels/cuda uses it"},
        {"MPI or NCCL", "^(mpi|nccl)\\.h$", {"core/distributed"}, "only core/distributed uses it"},
        {"CLI11", "^CLI/", {"app/cli"}, "only the command line uses it"},
    };
    return table;
}

bool inHouse(const SourceFile& file) {
    return file.under("app") || file.under("core") || file.under("kernels") || file.under("widgets");
}

const Room* roomOf(const SourceFile& file) {
    const auto room =
        std::find_if(rooms().begin(), rooms().end(), [&](const Room& r) { return file.under(r.folder); });
    return room == rooms().end() ? nullptr : &*room;
}

std::string at(const SourceFile& file, int line, const std::string& message) {
    return file.path + ":" + std::to_string(line) + ": " + message;
}

std::string_view licenceOf(const SourceFile& file) {
    return file.under("widgets") || file.under("app/workbench") ? "GPL-3.0-or-later" : "Apache-2.0";
}

// Depth first from `file`; `trail` holds the files on the way.
void findCircles(const SourceTree& tree, const SourceFile& file, std::vector<const SourceFile*>& trail,
                 std::set<const SourceFile*>& done, Violations& found) {
    if (done.contains(&file)) return;
    trail.push_back(&file);
    for (const Include& include : file.includes) {
        const SourceFile* next = tree.find(include.target);
        if (!next) continue;
        const auto first = std::find(trail.begin(), trail.end(), next);
        if (first == trail.end()) {
            findCircles(tree, *next, trail, done, found);
            continue;
        }
        std::string circle;
        for (auto step = first; step != trail.end(); ++step) circle += (*step)->path + " -> ";
        found.push_back(at(file, include.line, "circle of includes: " + circle + next->path));
    }
    trail.pop_back();
    done.insert(&file);
}

}  // namespace

Violations filesOutsideRooms(const SourceTree& tree) {
    Violations found;
    for (const SourceFile& file : tree.files)
        if (file.isCode() && inHouse(file) && !roomOf(file))
            found.push_back(at(file, 1, "is in no room of the table in tests/structure/rules.cpp"));
    return found;
}

Violations includesUpward(const SourceTree& tree) {
    Violations found;
    for (const SourceFile& file : tree.files) {
        const Room* room = roomOf(file);
        if (!room) continue;
        for (const Include& include : file.includes) {
            const SourceFile* target = tree.find(include.target);
            const Room* other = target ? roomOf(*target) : nullptr;
            if (!other || other == room) continue;
            const bool windowFromHeadless = room->folder == "app/cli" && other->folder == "widgets";
            if (other->floor >= room->floor || windowFromHeadless)
                found.push_back(at(file, include.line,
                                   std::string(room->folder) + " (floor " + std::to_string(room->floor) +
                                       ") must not use " + include.target + " (floor " +
                                       std::to_string(other->floor) + ")"));
        }
    }
    return found;
}

Violations includeCircles(const SourceTree& tree) {
    Violations found;
    std::set<const SourceFile*> done;
    std::vector<const SourceFile*> trail;
    for (const SourceFile& file : tree.files) findCircles(tree, file, trail, done, found);
    return found;
}

Violations relativeIncludes(const SourceTree& tree) {
    Violations found;
    for (const SourceFile& file : tree.files) {
        const auto folder = std::filesystem::path(file.path).parent_path();
        for (const Include& include : file.includes) {
            if (!include.quoted || tree.find(include.target)) continue;
            const std::string meant = (folder / include.target).lexically_normal().generic_string();
            if (tree.find(meant)) found.push_back(at(file, include.line, "write it from the root: " + meant));
        }
    }
    return found;
}

Violations librariesOutOfPlace(const SourceTree& tree) {
    Violations found;
    for (const Wall& wall : walls()) {
        const std::regex pattern(wall.pattern);
        for (const SourceFile& file : tree.files) {
            if (!inHouse(file)) continue;
            if (std::any_of(wall.allowed.begin(), wall.allowed.end(), [&](auto f) { return file.under(f); }))
                continue;
            for (const Include& include : file.includes)
                if (!tree.find(include.target) && std::regex_search(include.target, pattern))
                    found.push_back(at(file, include.line,
                                       "includes " + std::string(wall.library) + " <" + include.target +
                                           ">: " + std::string(wall.remedy)));
        }
    }
    return found;
}

Violations torchLeaks(const SourceTree& tree) {
    static const std::regex torch("^(torch|ATen|c10|caffe2)/");
    std::set<std::string_view> carriers;  // headers that bring LibTorch along
    for (bool grew = true; grew;) {
        grew = false;
        for (const SourceFile& file : tree.files) {
            if (!file.isHeader() || carriers.contains(file.path)) continue;
            if (std::any_of(file.includes.begin(), file.includes.end(), [&](const Include& i) {
                    return std::regex_search(i.target, torch) || carriers.contains(i.target);
                }))
                grew = carriers.insert(file.path).second;
        }
    }
    Violations found;
    for (const SourceFile& file : tree.files) {
        if (!inHouse(file) || file.under("core")) continue;
        for (const Include& include : file.includes)
            if (carriers.contains(include.target))
                found.push_back(at(file, include.line, "brings in LibTorch through " + include.target));
    }
    return found;
}

Violations licenceLines(const SourceTree& tree) {
    static const std::string key = "SPDX-License-Identifier: ";
    Violations found;
    for (const SourceFile& file : tree.files) {
        const size_t index = !file.lines.empty() && file.lines[0].starts_with("#!") ? 1 : 0;
        const std::string line = index < file.lines.size() ? file.lines[index] : "";
        const size_t start = line.find(key);
        if (start == std::string::npos) {
            found.push_back(at(file, static_cast<int>(index) + 1,
                               "begins without " + key + std::string(licenceOf(file))));
            continue;
        }
        const std::string licence = line.substr(start + key.size());
        const bool known = licence == "Apache-2.0" || licence == "GPL-3.0-or-later";
        if (file.isCode() ? licence != licenceOf(file) : !known)
            found.push_back(
                at(file, static_cast<int>(index) + 1,
                   "is under '" + licence + "'; its folder is under " + std::string(licenceOf(file))));
    }
    return found;
}

Violations longFiles(const SourceTree& tree) {
    Violations found;
    for (const SourceFile& file : tree.files) {
        const size_t limit = file.path == "app/workbench/main_window.cpp" ? 500 : 800;
        if (file.lines.size() > limit)
            found.push_back(at(file, static_cast<int>(file.lines.size()),
                               "has " + std::to_string(file.lines.size()) + " lines, more than " +
                                   std::to_string(limit) + ": is there a room that wants to be its own?"));
    }
    return found;
}

Violations tabs(const SourceTree& tree) {
    Violations found;
    for (const SourceFile& file : tree.files)
        for (size_t i = 0; i < file.lines.size(); ++i)
            if (file.lines[i].find('\t') != std::string::npos)
                found.push_back(at(file, static_cast<int>(i) + 1, "has a tab; indent with four spaces"));
    return found;
}

}  // namespace owq::structure
