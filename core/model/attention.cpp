// SPDX-License-Identifier: Apache-2.0
#include "core/model/attention.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include <algorithm>
#include <cmath>

#include "core/model/block.h"
#include "kernels/attention.h"

namespace owq {
namespace {

/// Appends key and value [n, K, t, D]; returns views of all tokens so far.
std::pair<at::Tensor, at::Tensor> append(KeyValueCache& cache, const at::Tensor& key,
                                         const at::Tensor& value) {
    const int64_t length = cache.length + key.size(2);
    if (!cache.key.defined() || cache.key.size(2) < length) {
        const int64_t capacity = std::max<int64_t>(length, cache.key.defined() ? cache.key.size(2) * 2 : 128);
        for (at::Tensor* held : {&cache.key, &cache.value}) {
            at::Tensor grown = at::empty({key.size(0), key.size(1), capacity, key.size(3)}, key.options());
            if (cache.length) grown.narrow(2, 0, cache.length).copy_(held->narrow(2, 0, cache.length));
            *held = grown;
        }
    }
    cache.key.narrow(2, cache.length, key.size(2)).copy_(key);
    cache.value.narrow(2, cache.length, key.size(2)).copy_(value);
    cache.length = length;
    return {cache.key.narrow(2, 0, length), cache.value.narrow(2, 0, length)};
}

/// [n, K, s, D] to [n, K * repeats, s, D], each head repeated in place.
at::Tensor repeatHeads(const at::Tensor& x, int64_t repeats) {
    if (repeats == 1) return x;
    return x.unsqueeze(2)
        .expand({x.size(0), x.size(1), repeats, x.size(2), x.size(3)})
        .reshape({x.size(0), -1, x.size(2), x.size(3)});
}

}  // namespace

at::Tensor causalAttention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                           KeyValueCache* cache, bool ownKernel) {
    const int64_t n = query.size(0), t = query.size(1), heads = query.size(2), size = query.size(3);
    const int64_t keyHeads = key.size(2), shared = heads / keyHeads;
    if (ownKernel && !cache && kernels::takesHeadSize(size)) {
        const at::Tensor q = query.contiguous(), k = key.contiguous(), v = value.contiguous();
        at::Tensor out = at::empty({n, t, heads * size}, q.options());
        kernels::causalAttention({q.const_data_ptr<float>(), k.const_data_ptr<float>(), v.const_data_ptr<float>(), n, t, heads,
                                  keyHeads, size, 1 / std::sqrt(float(size)), out.data_ptr<float>()});
        return out;
    }
    at::Tensor q = query.transpose(1, 2), k = key.transpose(1, 2), v = value.transpose(1, 2);
    const int64_t before = cache ? cache->length : 0;
    if (cache) std::tie(k, v) = append(*cache, k, v);

    if (t == 1) {
        // One token sees everything: the query heads that share a key head become its rows, nothing is
        // repeated.
        const at::Tensor grouped = q.reshape({n, keyHeads, shared, size});
        return at::scaled_dot_product_attention(grouped, k, v).reshape({n, 1, heads * size});
    }
    k = repeatHeads(k, shared);
    v = repeatHeads(v, shared);
    at::Tensor mixed;
    if (before == 0) {
        mixed = at::scaled_dot_product_attention(q, k, v, {}, 0.0, /*is_causal=*/true);
    } else {
        const at::Tensor seen =
            at::arange(before + t, q.options().dtype(at::kLong))
                .unsqueeze(0)
                .le(at::arange(before, before + t, q.options().dtype(at::kLong)).unsqueeze(1));
        mixed = at::scaled_dot_product_attention(q, k, v, seen);
    }
    return mixed.transpose(1, 2).reshape({n, t, heads * size});
}

}  // namespace owq
