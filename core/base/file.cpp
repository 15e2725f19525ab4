// SPDX-License-Identifier: Apache-2.0
#include "core/base/file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>

#include "core/base/error.h"
#include "core/base/progress.h"

namespace owq {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail(const std::string& what, const fs::path& file) {
    throw Error(what + " (" + std::strerror(errno) + ")", file.string());
}

// Closes on every path out, exceptions included.
struct Descriptor {
    int fd;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

void writeAll(int fd, const void* data, size_t bytes, const fs::path& file) {
    const char* p = static_cast<const char*>(data);
    while (bytes > 0) {
        const ssize_t n = ::write(fd, p, std::min(bytes, size_t(1) << 30));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) fail("could not be written", file);
        p += n;
        bytes -= size_t(n);
    }
}

std::string readable(uint64_t bytes) {
    char text[40];
    std::snprintf(text, sizeof text, bytes < 10'000'000 ? "%.2f MB" : "%.0f MB", double(bytes) / 1e6);
    return text;
}

/// Where mappings begin and how long they are.
class Mappings {
public:
    void add(const std::byte* p, size_t size) {
        const std::lock_guard lock(mutex_);
        sizes_[p] = size;
    }
    void remove(const std::byte* p) {
        const std::lock_guard lock(mutex_);
        sizes_.erase(p);
    }
    bool holds(const std::byte* p, size_t bytes) {
        const std::lock_guard lock(mutex_);
        auto next = sizes_.upper_bound(p);
        if (next == sizes_.begin()) return false;
        --next;
        return size_t(p - next->first) + bytes <= next->second;
    }

private:
    std::mutex mutex_;
    std::map<const std::byte*, size_t> sizes_;
};

Mappings& mappings() {
    static auto* all = new Mappings;  // files may be closed while the program's static objects go
    return *all;
}

}  // namespace

void releasePages(const void* data, size_t bytes) {
    const auto* begin = static_cast<const std::byte*>(data);
    if (!bytes || !mappings().holds(begin, bytes)) return;
    const auto page = uintptr_t(::sysconf(_SC_PAGESIZE)), from = (uintptr_t(begin) + page - 1) / page * page,
               to = (uintptr_t(begin) + bytes) / page * page;
    if (from < to) ::madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
}

std::shared_ptr<const MappedFile> MappedFile::open(const fs::path& file) {
    Descriptor d{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (d.fd < 0) fail("could not be opened", file);
    struct stat st {};
    if (::fstat(d.fd, &st) != 0) fail("could not be examined", file);
    if (S_ISDIR(st.st_mode)) throw Error("is a folder, a file was expected", file.string());
    if (!S_ISREG(st.st_mode)) throw Error("is not a regular file", file.string());
    std::shared_ptr<MappedFile> mapped(new MappedFile);
    mapped->path_ = file;
    mapped->size_ = size_t(st.st_size);
    if (st.st_size > 0) {
        void* p = ::mmap(nullptr, mapped->size_, PROT_READ, MAP_PRIVATE, d.fd, 0);
        if (p == MAP_FAILED) {
            mapped->size_ = 0;
            fail("could not be mapped into memory", file);
        }
        mapped->data_ = static_cast<const std::byte*>(p);
        mappings().add(mapped->data_, mapped->size_);
    }
    return mapped;
}

MappedFile::~MappedFile() {
    if (!data_) return;
    mappings().remove(data_);
    ::munmap(const_cast<std::byte*>(data_), size_);
}

ScratchMemory::ScratchMemory(const fs::path& folder, uint64_t bytes) : size_(size_t(bytes)) {
    requireSpace(folder, bytes);
    std::string name = (folder / ".scratch-XXXXXX").string();
    Descriptor d{::mkostemp(name.data(), O_CLOEXEC)};
    if (d.fd < 0) fail("could not be created", name);
    ::unlink(name.c_str());
    // Reserved now: a full disk later would end the process at a write to memory.
    if (const int error = ::posix_fallocate(d.fd, 0, off_t(bytes)); error != 0) {
        errno = error;
        fail("has no space for a scratch file", folder);
    }
    void* p = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, d.fd, 0);
    if (p == MAP_FAILED) fail("could not be mapped into memory", name);
    data_ = p;
}

ScratchMemory::~ScratchMemory() {
    if (data_) ::munmap(data_, size_);
}

void ScratchMemory::release() const { ::madvise(data_, size_, MADV_DONTNEED); }

// NAME.tmp-PROCESS-NUMBER
static const std::string kTemporary = ".tmp-";

std::string AtomicFile::targetOf(const std::string& name) {
    const size_t at = name.rfind(kTemporary);
    const bool temporary = at != std::string::npos && name.find_first_not_of("0123456789-", at + kTemporary.size()) == std::string::npos;
    return temporary ? name.substr(0, at) : "";
}

AtomicFile::AtomicFile(fs::path target) : target_(std::move(target)) {
    static std::atomic<unsigned> counter{0};
    temporary_ = target_;
    temporary_ += kTemporary + std::to_string(::getpid()) + "-" + std::to_string(counter++);
    fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd_ < 0) fail("could not be created", temporary_);
}

AtomicFile::~AtomicFile() {
    if (fd_ >= 0) ::close(fd_);
    if (!committed_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, size_t bytes) { writeAll(fd_, data, bytes, target_); }

void AtomicFile::commit() {
    // A writer with a handle of its own (HDF5) may have replaced the inode: sync by name.
    Descriptor d{::open(temporary_.c_str(), O_RDONLY | O_CLOEXEC)};
    if (d.fd < 0 || ::fsync(d.fd) != 0) fail("could not be synced to the disk", target_);
    if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail("could not be renamed into place", target_);
    committed_ = true;
    syncFolder(target_.parent_path());
}

std::string readText(const fs::path& file, size_t limit) {
    Descriptor d{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (d.fd < 0) fail("could not be opened", file);
    struct stat st {};
    if (::fstat(d.fd, &st) != 0) fail("could not be examined", file);
    if (S_ISDIR(st.st_mode)) throw Error("is a folder, a file was expected", file.string());
    if (size_t(st.st_size) > limit)
        throw Error("is " + readable(uint64_t(st.st_size)) + ", larger than the limit of " + readable(limit), file.string());
    std::string text(size_t(st.st_size), '\0');
    size_t done = 0;
    while (done < text.size()) {
        const ssize_t n = ::read(d.fd, text.data() + done, text.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) fail("could not be read", file);
        if (n == 0) break;  // shrunk meanwhile
        done += size_t(n);
    }
    text.resize(done);
    return text;
}

void writeText(const fs::path& file, std::string_view text) {
    AtomicFile out(file);
    out.write(text);
    out.commit();
}

void appendLineSynced(const fs::path& file, std::string_view line) {
    Descriptor d{::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644)};
    if (d.fd < 0) fail("could not be opened for appending", file);
    std::string text(line);
    text += '\n';
    writeAll(d.fd, text.data(), text.size(), file);
    if (::fsync(d.fd) != 0) fail("could not be synced to the disk", file);
}

void syncFolder(const fs::path& folder) {
    const fs::path path = folder.empty() ? fs::path(".") : folder;
    Descriptor d{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (d.fd >= 0) ::fsync(d.fd);  // some file systems refuse to sync folders; the rename itself is done
}

fs::path existingFolder(const fs::path& path) {
    fs::path p = fs::absolute(path);
    std::error_code ignored;
    while (!fs::is_directory(p, ignored) && p.has_parent_path() && p != p.parent_path()) p = p.parent_path();
    return p;
}

uint64_t freeSpace(const fs::path& path) {
    const fs::path p = existingFolder(path);
    struct statvfs st {};
    if (::statvfs(p.c_str(), &st) != 0) fail("free space could not be asked for", p);
    return uint64_t(st.f_bavail) * st.f_frsize;
}

void requireSpace(const fs::path& path, uint64_t bytes) {
    const uint64_t have = freeSpace(path);
    if (have < bytes)
        throw Error("needs " + readable(bytes) + " but only " + readable(have) + " are free", path.string(),
                    "Free some space or choose another place");
}

FileLock::FileLock(const fs::path& file) {
    fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0) fail("lock file could not be opened", file);
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
        ::close(fd_);
        fd_ = -1;
        throw Error("is in use by another running program", file.string(), "Wait for it to end, or choose another folder");
    }
}

FileLock::~FileLock() {
    if (fd_ >= 0) ::close(fd_);
}

namespace {

class Sha256 {
public:
    Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
        if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) throw Error("SHA-256 failed");
    }
    void add(std::span<const std::byte> bytes) {
        if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) throw Error("SHA-256 failed");
    }
    std::string hexadecimal() {
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned length = 0;
        if (EVP_DigestFinal_ex(context_.get(), digest, &length) != 1) throw Error("SHA-256 failed");
        static const char* hex = "0123456789abcdef";
        std::string text;
        for (unsigned i = 0; i < length; ++i) {
            text += hex[digest[i] >> 4];
            text += hex[digest[i] & 15];
        }
        return text;
    }

private:
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

}  // namespace

std::string sha256(std::span<const std::byte> bytes) {
    Sha256 hash;
    hash.add(bytes);
    return hash.hexadecimal();
}

std::string sha256File(const fs::path& file, std::stop_token stop) {
    constexpr size_t kPiece = 32 << 20;
    const auto mapped = MappedFile::open(file);
    Sha256 hash;
    for (std::span<const std::byte> rest = mapped->bytes(); !rest.empty(); rest = rest.subspan(std::min(kPiece, rest.size()))) {
        checkStop(stop);
        const std::span<const std::byte> piece = rest.first(std::min(kPiece, rest.size()));
        hash.add(piece);
        releasePages(piece.data(), piece.size());  // or a whole checkpoint would count as memory in use
    }
    return hash.hexadecimal();
}

}  // namespace owq
