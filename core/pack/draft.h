// SPDX-License-Identifier: Apache-2.0
// Private to core/pack.
#pragma once
#include <filesystem>

namespace owq::packing {

/// A file or folder that is written in a hidden folder beside its target and put in place when it is whole. The hidden folder goes
/// away with the object; what killed programs left of earlier ones is cleared away first.
class Draft {
public:
    explicit Draft(const std::filesystem::path& target);
    ~Draft();
    Draft(const Draft&) = delete;
    Draft& operator=(const Draft&) = delete;

    /// Where to write: nothing is there yet.
    std::filesystem::path path() const { return folder_ / target_.filename(); }
    /// Takes the place of what is at the target, in one step where the file system can.
    void place();

private:
    std::filesystem::path target_, folder_;
    int lock_ = -1;  ///< on the hidden folder: tells a draft under way from one left behind
};

}  // namespace owq::packing
