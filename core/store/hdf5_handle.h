// SPDX-License-Identifier: Apache-2.0
// HDF5's C interface with objects that close themselves. Private to core/store.
#pragma once
#include <hdf5.h>

#include <mutex>
#include <string>
#include <utility>

namespace owq {

/// HDF5 is not safe in several threads, however it was built: hold this over every whole read or write.
/// Also keeps the library from printing its errors.
class Hdf5Lock {
public:
    Hdf5Lock();

private:
    std::scoped_lock<std::mutex> lock_;
};

/// Throws Error: `what`, and the library's own reason.
[[noreturn]] void failHdf5(const std::string& what, const std::string& where);

/// Owns one HDF5 identifier.
class Hdf5Handle {
public:
    using Close = herr_t (*)(hid_t);
    /// Throws Error "`what`" when the identifier says that the call failed.
    Hdf5Handle(hid_t id, Close close, const std::string& what, const std::string& where) : id_(id), close_(close) {
        if (id < 0) failHdf5(what, where);
    }
    ~Hdf5Handle() {
        if (id_ >= 0) close_(id_);
    }
    Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
    Hdf5Handle& operator=(Hdf5Handle&&) = delete;
    operator hid_t() const { return id_; }
    /// For files, whose data may reach the disk only now; false on failure.
    bool close() { return close_(std::exchange(id_, -1)) >= 0; }

private:
    hid_t id_;
    Close close_;
};

}  // namespace owq
