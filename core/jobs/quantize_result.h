// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "core/jobs/quantize.h"

namespace owq {

/// The inverse of toJson(QuantizeResult), for result.json. Statistics stay empty.
QuantizeResult quantizeResultFromJson(const Json& value, const std::string& where);

}  // namespace owq
