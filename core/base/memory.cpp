// SPDX-License-Identifier: Apache-2.0
#include "core/base/memory.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

namespace owq {

void tuneAllocator() {
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 2047 << 20);
    mallopt(M_TOP_PAD, 256 << 20);
}

void returnFreeMemory() {
    constexpr size_t much = 64 << 20;  // less is not worth the faults when it is taken again
    if (mallinfo2().fordblks > much) malloc_trim(0);
}

namespace {

/// The number that follows `key` (empty: that begins the file) in a file of the kernel; `none` when there is none.
uint64_t numberIn(const std::string& file, const std::string& key, uint64_t none) {
    std::ifstream in(file);
    uint64_t value = 0;
    if (key.empty()) return in >> value ? value : none;
    for (std::string word; in >> word;)
        if (word == key) return in >> value ? value : none;
    return none;
}

/// What the control groups of this process leave it (version 2; a group's parents limit it, too).
uint64_t leftByControlGroups() {
    constexpr uint64_t unlimited = std::numeric_limits<uint64_t>::max();
    std::ifstream in("/proc/self/cgroup");
    uint64_t left = unlimited;
    for (std::string line; std::getline(in, line);) {
        if (line.rfind("0::", 0) != 0) continue;
        for (std::filesystem::path group = line.substr(3);; group = group.parent_path()) {
            const std::string folder = "/sys/fs/cgroup" + group.string();
            const uint64_t limit = numberIn(folder + "/memory.max", "", unlimited);
            if (limit != unlimited) {
                // Pages of files are given back when memory runs short.
                const uint64_t used = numberIn(folder + "/memory.current", "", 0), files = numberIn(folder + "/memory.stat", "file", 0);
                const uint64_t held = used - std::min(used, files);
                left = std::min(left, limit - std::min(limit, held));
            }
            if (group == group.root_path() || group.empty()) break;
        }
    }
    return left;
}

}  // namespace

uint64_t residentMemoryBytes() {
    std::ifstream in("/proc/self/statm");
    uint64_t whole = 0, resident = 0;
    in >> whole >> resident;
    return resident * uint64_t(::sysconf(_SC_PAGESIZE));
}

uint64_t availableMemoryBytes() {
    const uint64_t system = numberIn("/proc/meminfo", "MemAvailable:", std::numeric_limits<uint64_t>::max() / 1024) * 1024;
    return std::min(system, leftByControlGroups());
}

uint64_t peakMemoryBytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return uint64_t(usage.ru_maxrss) * 1024;
}

}  // namespace owq
