// SPDX-License-Identifier: Apache-2.0
#include "core/base/sign_test.h"

#include <algorithm>
#include <cmath>

namespace owq {

double signTest(int64_t k, int64_t n) {
    k = std::min(k, n - k);
    double tail = 0;
    for (int64_t i = 0; i <= k; ++i)
        tail += std::exp(std::lgamma(double(n) + 1) - std::lgamma(double(i) + 1) - std::lgamma(double(n - i) + 1) - double(n) * std::log(2.0));
    return std::min(1.0, 2 * tail);
}

}  // namespace owq
