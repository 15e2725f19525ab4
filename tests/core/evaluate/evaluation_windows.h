// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>

#include "core/text/corpus.h"
#include "tests/core/model/model_test_data.h"

namespace owq::testing {

/// The first `count` windows of a text of the reference.
inline TokenWindows windows(const std::string& family, const std::string& text, int64_t count, int64_t length) {
    TokenWindows out;
    out.length = length;
    const std::vector<int64_t> ids = golden(family, "eval.safetensors")->read(text).toInteger();
    for (int64_t i = 0; i < count * length; ++i) out.ids.push_back(int32_t(ids.at(size_t(i))));
    return out;
}

}  // namespace owq::testing
