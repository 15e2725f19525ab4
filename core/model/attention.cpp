// SPDX-License-Identifier: Apache-2.0
#include "core/model/attention.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "core/model/block.h"
#include "core/model/gradient.h"
#include "kernels/attention.h"

namespace owq {
namespace {

constexpr double kLargestHalf = 65504;

/// False when one is not a number, too.
bool fitsHalf(const at::Tensor& x) {
    if (!fitsKernels(x) || !x.is_contiguous()) return at::linalg_vector_norm(x, INFINITY).item<double>() <= kLargestHalf;
    // Those of one token: a call of LibTorch would take ten times as long.
    const float* const values = x.const_data_ptr<float>();
    bool fits = true;
    for (int64_t i = 0; i < x.numel(); ++i) fits &= std::abs(values[i]) <= float(kLargestHalf);
    return fits;
}

/// Appends key and value [n, K, t, D]; returns views of all tokens so far, of the cache's type.
std::pair<at::Tensor, at::Tensor> append(KeyValueCache& cache, const at::Tensor& key,
                                         const at::Tensor& value) {
    const int64_t length = cache.length + key.size(2);
    cache.halves = cache.halves && fitsHalf(key) && fitsHalf(value);
    const at::ScalarType type = cache.halves ? at::kHalf : key.scalar_type();
    const int64_t room = cache.key.defined() ? cache.key.size(2) : 0;
    if (room < length || cache.key.scalar_type() != type) {
        const int64_t capacity = room >= length ? room : std::max<int64_t>(length, room ? room * 2 : 128);
        for (at::Tensor* held : {&cache.key, &cache.value}) {
            at::Tensor grown = at::empty({key.size(0), key.size(1), capacity, key.size(3)}, key.options().dtype(type));
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

constexpr int64_t kAlibiChannels = 8;  // two are used; the others keep rows aligned

/// x [n, t, A, D] with more channels: the first are `channels` (each expands to [n, t, A]), the others 0.
at::Tensor withChannels(const at::Tensor& x, const std::vector<at::Tensor>& channels) {
    at::Tensor more = at::zeros({x.size(0), x.size(1), x.size(2), kAlibiChannels}, x.options());
    for (size_t i = 0; i < channels.size(); ++i) more.select(3, int64_t(i)).copy_(channels[i].expand({x.size(0), x.size(1), x.size(2)}));
    return at::cat({x, more}, 3);
}

/// A bias that depends on the key alone is one more channel: 1 in the query, the bias in the key. So no matrix
/// of biases is held, and the cache keeps them with the keys. A cache of fp16 gets a second one with what fp16 leaves of the first.
at::Tensor withAlibi(const at::Tensor& query, at::Tensor key, at::Tensor value, KeyValueCache* cache,
                     bool ownKernel, const AttentionRule& rule) {
    const int64_t t = query.size(1), heads = query.size(2), size = query.size(3), before = cache ? cache->length : 0;
    const double scale = rule.scale.value_or(1 / std::sqrt(double(size)));
    const at::Tensor positions = at::arange(before, before + t, query.options().dtype(at::kLong)).unsqueeze(1);  // [t, 1]
    const at::Tensor bias = rule.alibiScaledBf16 ? rule.slopes.to(at::kBFloat16).mul(positions).to(at::kFloat) : rule.slopes.mul(positions).div_(scale);
    if (key.size(2) != heads) {
        key = key.repeat_interleave(heads / key.size(2), 2);
        value = value.repeat_interleave(heads / value.size(2), 2);
    }
    AttentionRule plain;
    plain.window = rule.window;
    plain.scale = scale;
    const at::Tensor one = at::ones({1}, query.options());
    std::vector<at::Tensor> parts{bias};
    if (cache && cache->halves && fitsHalf(bias)) {
        parts[0] = bias.to(at::kHalf).to(bias.scalar_type());
        parts.push_back(bias.sub(parts[0]));
    }
    const at::Tensor mixed = causalAttention(withChannels(query, {one, one}), withChannels(key, parts), withChannels(value, {}), cache, ownKernel && t == 1, plain);
    return mixed.view({query.size(0), t, heads, size + kAlibiChannels}).slice(3, 0, size).reshape({query.size(0), t, heads * size});
}

}  // namespace

std::vector<float> alibiSlopes(int64_t heads) {
    int64_t power = 1;
    while (power * 2 <= heads) power *= 2;
    std::vector<float> slopes;
    for (int64_t i = 0; i < heads; ++i)
        slopes.push_back(float(i < power ? std::pow(2.0, -8.0 * double(i + 1) / double(power))
                                         : std::pow(2.0, -4.0 * double(2 * (i - power) + 1) / double(power))));
    return slopes;
}

at::Tensor causalAttention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                           KeyValueCache* cache, bool ownKernel, const AttentionRule& rule) {
    if (rule.slopes.defined()) return withAlibi(query, key, value, cache, ownKernel, rule);
    const int64_t n = query.size(0), t = query.size(1), heads = query.size(2), size = query.size(3);
    const int64_t keyHeads = key.size(2), shared = heads / keyHeads, before = cache ? cache->length : 0;
    const bool windowed = rule.window && before + t > rule.window;
    if (ownKernel && fitsKernels(query) && before == 0 && !windowed && kernels::takesHeadSize(size)) {
        if (cache) append(*cache, key.transpose(1, 2), value.transpose(1, 2));
        const at::Tensor q = query.detach().contiguous(), k = key.detach().contiguous(), v = value.detach().contiguous();
        at::Tensor out = at::empty({n, t, heads * size}, q.options());
        const float scale = rule.scale ? float(*rule.scale) : 1 / std::sqrt(float(size));
        kernels::causalAttention({q.const_data_ptr<float>(), k.const_data_ptr<float>(), v.const_data_ptr<float>(), n, t, heads,
                                  keyHeads, size, scale, out.data_ptr<float>()});
        if (!tracked(query) && !tracked(key) && !tracked(value)) return out;
        return withFormula(out, {query, key, value},
                           [rule](const std::vector<at::Tensor>& in) { return causalAttention(in[0], in[1], in[2], nullptr, false, rule); });
    }
    at::Tensor q = query.transpose(1, 2), k = key.transpose(1, 2), v = value.transpose(1, 2);
    if (cache) std::tie(k, v) = append(*cache, k, v);

    if (t == 1) {
        if (windowed) {
            k = k.narrow(2, before + 1 - rule.window, rule.window);
            v = v.narrow(2, before + 1 - rule.window, rule.window);
        }
        if (ownKernel && cache && fitsKernels(query) && !tracked(query) && !tracked(k) && !tracked(v)) {
            const at::Tensor one = query.contiguous();
            at::Tensor out = at::empty({n, 1, heads * size}, one.options());
            const auto type = k.scalar_type() == at::kHalf ? kernels::StoredType::f16 : kernels::StoredType::f32;
            kernels::tokenAttention({one.const_data_ptr<float>(), k.const_data_ptr(), v.const_data_ptr(), type, k.size(2), n * heads,
                                     n * keyHeads, size, k.stride(1), rule.scale ? float(*rule.scale) : 1 / std::sqrt(float(size)),
                                     out.data_ptr<float>()});
            return out;
        }
        k = k.to(q.scalar_type());
        v = v.to(q.scalar_type());
        // One token sees everything: the query heads that share a key head become its rows, nothing is
        // repeated.
        const at::Tensor grouped = q.reshape({n, keyHeads, shared, size});
        return at::scaled_dot_product_attention(grouped, k, v, {}, 0.0, false, rule.scale).reshape({n, 1, heads * size});
    }
    k = repeatHeads(k.to(q.scalar_type()), shared);
    v = repeatHeads(v.to(q.scalar_type()), shared);
    at::Tensor mixed;
    if (before == 0 && !windowed) {
        mixed = at::scaled_dot_product_attention(q, k, v, {}, 0.0, /*is_causal=*/true, rule.scale);
    } else {
        const at::Tensor keys = at::arange(before + t, q.options().dtype(at::kLong)).unsqueeze(0);
        const at::Tensor queries = at::arange(before, before + t, q.options().dtype(at::kLong)).unsqueeze(1);
        at::Tensor seen = keys.le(queries);
        if (windowed) seen = seen.logical_and(keys.gt(queries.sub(rule.window)));
        mixed = at::scaled_dot_product_attention(q, k, v, seen, 0.0, false, rule.scale);
    }
    return mixed.transpose(1, 2).reshape({n, t, heads * size});
}

}  // namespace owq
