// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.h"

namespace owq {
namespace {
std::string joined(const std::string& happened, const std::string& where, const std::string& remedy) {
    std::string text = where.empty() ? happened : where + ": " + happened;
    if (!remedy.empty()) text += ". " + remedy;
    return text;
}
}  // namespace

Error::Error(std::string happened, std::string where, std::string remedy)
    : std::runtime_error(joined(happened, where, remedy)),
      happened_(std::move(happened)),
      where_(std::move(where)),
      remedy_(std::move(remedy)) {}

}  // namespace owq
