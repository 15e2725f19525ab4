// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them.
#pragma once
#include <cstdint>
#include <string>

namespace owq::cli {

std::string bytesText(uint64_t bytes);        ///< "13.2 MiB"
std::string countText(int64_t count);         ///< "3,461,120"
std::string shortCountText(int64_t count);    ///< "3.46 M"
std::string durationText(double seconds);     ///< "0.4 s", "12 s", "3:05", "1:02:03"
std::string numberText(double value, int significant = 4);
std::string fixedText(double value, int decimals);

}  // namespace owq::cli
