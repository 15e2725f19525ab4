// SPDX-License-Identifier: Apache-2.0
#include "app/cli/format.h"

#include <cmath>
#include <cstdio>

namespace owq::cli {
namespace {

std::string print(const char* format, int precision, double value) {
    char text[64];
    std::snprintf(text, sizeof text, format, precision, value);
    return text;
}

}  // namespace

std::string fixedText(double value, int decimals) { return print("%.*f", decimals, value); }
std::string numberText(double value, int significant) { return print("%.*g", significant, value); }

std::string bytesText(uint64_t bytes) {
    static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = double(bytes);
    int unit = 0;
    for (; value >= 1024 && unit < 4; ++unit) value /= 1024;
    return fixedText(value, unit == 0 || value >= 100 ? 0 : 1) + " " + kUnits[unit];
}

std::string countText(int64_t count) {
    std::string digits = std::to_string(count < 0 ? -count : count);
    for (size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
    return (count < 0 ? "-" : "") + digits;
}

std::string shortCountText(int64_t count) {
    if (count >= 1'000'000'000) return numberText(double(count) / 1e9, 3) + " B";
    if (count >= 1'000'000) return numberText(double(count) / 1e6, 3) + " M";
    return countText(count);
}

std::string durationText(double seconds) {
    if (!(seconds >= 0)) return "?";
    if (seconds < 10) return fixedText(seconds, 1) + " s";
    const auto whole = int64_t(std::lround(seconds));
    if (whole < 60) return std::to_string(whole) + " s";
    char text[48];
    if (whole < 3600)
        std::snprintf(text, sizeof text, "%d:%02d", int(whole / 60), int(whole % 60));
    else
        std::snprintf(text, sizeof text, "%lld:%02d:%02d", static_cast<long long>(whole / 3600), int(whole / 60 % 60), int(whole % 60));
    return text;
}

}  // namespace owq::cli
