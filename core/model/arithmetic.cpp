// SPDX-License-Identifier: Apache-2.0
#include "core/model/arithmetic.h"

#include <utility>

#include "core/base/error.h"

namespace owq {
namespace {

constexpr std::pair<Arithmetic, const char*> kNames[] = {
    {Arithmetic::dense, "dense"}, {Arithmetic::exact, "exact"}, {Arithmetic::doubleInt8, "int8x2"}, {Arithmetic::int8, "int8"}};

}  // namespace

std::string arithmeticName(Arithmetic arithmetic) {
    for (const auto& [value, name] : kNames)
        if (value == arithmetic) return name;
    return {};
}

Arithmetic arithmeticFromName(const std::string& name) {
    std::string known;
    for (const auto& [value, text] : kNames) {
        if (name == text) return value;
        known += (known.empty() ? "" : ", ") + std::string(text);
    }
    throw Error("unknown arithmetic \"" + name + "\"", {}, "Known are " + known);
}

}  // namespace owq
