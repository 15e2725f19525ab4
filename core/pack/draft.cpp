// SPDX-License-Identifier: Apache-2.0
#include "core/pack/draft.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"

namespace owq::packing {
namespace fs = std::filesystem;
namespace {

/// The folder's descriptor with an exclusive lock, or -1 when another program holds it or it cannot be had.
int lockFolder(const fs::path& folder) {
    const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
    if (fd >= 0) ::close(fd);
    return -1;
}

std::string hiddenName(const fs::path& target) { return "." + target.filename().string() + ".partial-"; }

void removeLeftovers(const fs::path& target) {
    const std::string begin = hiddenName(target);
    std::vector<fs::path> found;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(target.parent_path(), ignored)) {
        const std::string name = entry.path().filename().string();
        if (name.size() > begin.size() && name.starts_with(begin) &&
            name.find_first_not_of("0123456789-", begin.size()) == std::string::npos)
            found.push_back(entry.path());
    }
    for (const fs::path& folder : found) {
        const int lock = lockFolder(folder);
        if (lock < 0) continue;
        fs::remove_all(folder, ignored);
        ::close(lock);
    }
}

}  // namespace

Draft::Draft(const fs::path& target) : target_(target) {
    static std::atomic<unsigned> counter{0};
    removeLeftovers(target);
    folder_ = target.parent_path() / (hiddenName(target) + std::to_string(::getpid()) + "-" + std::to_string(counter++));
    std::error_code error;
    fs::create_directory(folder_, error);
    if (error) throw Error("could not be created: " + error.message(), folder_.string());
    lock_ = lockFolder(folder_);
}

Draft::~Draft() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
    if (lock_ >= 0) ::close(lock_);
}

void Draft::place() {
    const fs::path from = path();
    std::error_code error;
    if (fs::exists(target_)) {
        // Readers see the old one or the new one, and so does whoever comes after a power failure.
        if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, target_.c_str(), RENAME_EXCHANGE) != 0) {
            const fs::path old = folder_ / "replaced";
            fs::rename(target_, old, error);
            if (!error) {
                fs::rename(from, target_, error);
                std::error_code ignored;
                if (error) fs::rename(old, target_, ignored);  // what was there stays there
            }
        }
    } else {
        fs::rename(from, target_, error);
    }
    if (error) throw Error("could not be renamed into place: " + error.message(), target_.string());
    syncFolder(target_.parent_path());
}

}  // namespace owq::packing
