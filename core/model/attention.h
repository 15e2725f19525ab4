// SPDX-License-Identifier: Apache-2.0
// Private to core sources.
#pragma once
#include <ATen/core/Tensor.h>

namespace owq {

struct KeyValueCache;

/// Causal attention with 1/sqrt(headSize). query [n, t, heads, headSize], key and value [n, t, keyValueHeads,
/// headSize], positions applied; query head a reads key head a / (heads / keyValueHeads). With a cache, key
/// and value are appended to it and its earlier tokens are seen too. Result [n, t, heads * headSize],
/// contiguous. ownKernel: by kernels/attention.h where it can; all lies on the CPU.
at::Tensor causalAttention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                           KeyValueCache* cache, bool ownKernel = true);

}  // namespace owq
