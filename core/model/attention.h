// SPDX-License-Identifier: Apache-2.0
// Private to core sources.
#pragma once
#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

namespace owq {

struct KeyValueCache;

/// What sets a model's attention apart from plain causal attention.
struct AttentionRule {
    int64_t window = 0;           ///< keys that a query sees, its own included; 0: all
    std::optional<double> scale;  ///< of the products; absent: 1/sqrt(headSize)
    at::Tensor slopes;            ///< of ALiBi, fp32 [heads]: slope * position of the key is added to a score; may be undefined
    bool alibiScaledBf16 = false;  ///< slope and product are rounded to bfloat16, and the sum with q.k is scaled
};

/// Slopes for any number of heads: the odd powers of the next power of two fill up.
std::vector<float> alibiSlopes(int64_t heads);

/// Causal attention. query [n, t, heads, headSize], key and value [n, t, keyValueHeads,
/// headSize], positions applied; query head a reads key head a / (heads / keyValueHeads). With a cache, key
/// and value are appended to it and its earlier tokens are seen too. Result [n, t, heads * headSize],
/// contiguous. ownKernel: by kernels/attention.h where it can; all lies on the CPU.
at::Tensor causalAttention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                           KeyValueCache* cache, bool ownKernel = true, const AttentionRule& rule = {});

}  // namespace owq
