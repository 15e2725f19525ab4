// SPDX-License-Identifier: Apache-2.0
// Files as the whole product uses them: read-only mappings, writes that are whole or not there, locks, free space, hashes.
// Every function throws Error naming the file and the system's reason.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace owq {

/// Read-only memory mapping. Pages are loaded when touched; the mapping lives as long as any shared_ptr to it.
class MappedFile {
public:
    static std::shared_ptr<const MappedFile> open(const std::filesystem::path& file);
    ~MappedFile();
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;

    std::span<const std::byte> bytes() const { return {data_, size_}; }
    const std::filesystem::path& path() const { return path_; }

private:
    MappedFile() = default;
    std::filesystem::path path_;
    const std::byte* data_ = nullptr;
    size_t size_ = 0;
};

/// Memory that lives in a nameless file of `folder`, for what does not fit: zeros at first, gone with the object.
class ScratchMemory {
public:
    /// Error when the folder's disk has not the space.
    ScratchMemory(const std::filesystem::path& folder, uint64_t bytes);
    ~ScratchMemory();
    ScratchMemory(const ScratchMemory&) = delete;
    ScratchMemory& operator=(const ScratchMemory&) = delete;

    void* data() const { return data_; }
    /// Lets go of the pages: what they hold stays in the file.
    void release() const;

private:
    void* data_ = nullptr;
    size_t size_ = 0;
};

/// Lets go of the pages of mapped files that lie wholly inside the range, so that what was read of a checkpoint no longer counts as
/// memory of this process; they come back from the file when touched again. Memory that no MappedFile holds is left alone.
void releasePages(const void* data, size_t bytes);

/// Writes to a temporary name beside the target; commit() syncs, renames and syncs the folder.
/// Without commit() nothing stays behind.
class AtomicFile {
public:
    explicit AtomicFile(std::filesystem::path target);
    ~AtomicFile();
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;

    void write(const void* data, size_t bytes);
    void write(std::string_view text) { write(text.data(), text.size()); }
    /// For writers that need a name of their own (HDF5): the temporary path.
    const std::filesystem::path& temporary() const { return temporary_; }
    void commit();
    /// The target's name when `name` is a temporary one, which a killed program leaves behind; empty otherwise.
    static std::string targetOf(const std::string& name);

private:
    std::filesystem::path target_, temporary_;
    int fd_ = -1;
    bool committed_ = false;
};

/// Whole file; Error when it is larger than `limit` bytes.
std::string readText(const std::filesystem::path& file, size_t limit = size_t(1) << 32);
void writeText(const std::filesystem::path& file, std::string_view text);
/// Appends one line and syncs it to the disk before returning.
void appendLineSynced(const std::filesystem::path& file, std::string_view line);
void syncFolder(const std::filesystem::path& folder);

/// `path` or the nearest of its parents that is a folder already.
std::filesystem::path existingFolder(const std::filesystem::path& path);
/// Bytes free for this user where `path` is (or its nearest existing parent).
uint64_t freeSpace(const std::filesystem::path& path);
/// Throws Error when fewer than `bytes` are free there; the message states both numbers.
void requireSpace(const std::filesystem::path& path, uint64_t bytes);

/// Exclusive advisory lock on a file, held while the object lives. Throws Error when another process holds it.
class FileLock {
public:
    explicit FileLock(const std::filesystem::path& file);
    ~FileLock();
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;

private:
    int fd_ = -1;
};

/// SHA-256 as lower-case hexadecimal.
std::string sha256(std::span<const std::byte> bytes);
/// Polls the stop token every few MB.
std::string sha256File(const std::filesystem::path& file, std::stop_token stop = {});

}  // namespace owq
