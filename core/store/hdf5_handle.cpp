// SPDX-License-Identifier: Apache-2.0
#include "core/store/hdf5_handle.h"

#include "core/base/error.h"

namespace owq {
namespace {

std::mutex& processMutex() {
    static std::mutex mutex;
    return mutex;
}

}  // namespace

Hdf5Lock::Hdf5Lock() : lock_(processMutex()) { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

void failHdf5(const std::string& what, const std::string& where) {
    std::string reason;
    // The first record is the innermost: what really went wrong.
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD,
             [](unsigned n, const H5E_error2_t* record, void* text) -> herr_t {
                 if (n == 0 && record->desc) *static_cast<std::string*>(text) = record->desc;
                 return 0;
             },
             &reason);
    H5Eclear2(H5E_DEFAULT);
    throw Error(reason.empty() ? what : what + " (HDF5: " + reason + ")", where);
}

}  // namespace owq
