// SPDX-License-Identifier: Apache-2.0
// What the per-thread headers of the GPU kernels share. Their functions run on the host as well, where
// tests/kernels compares them with the CPU kernels. C++17, because nvcc sees it.
//
// Neither compiler may contract a * b + c (the options of both targets forbid it): the quantizer's kernels
// give the CPU's bits only while every operation rounds by itself. Who wants an FMA calls multiplyAdd.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#include <cuda_fp16.h>
#define OWQ_THREAD __host__ __device__ __forceinline__
#define OWQ_UNROLL _Pragma("unroll")
#else
#define OWQ_THREAD inline
#define OWQ_UNROLL
#endif

namespace owq::kernels::cuda {

OWQ_THREAD float floatOfBits(uint32_t bits) {
#ifdef __CUDA_ARCH__
    return __uint_as_float(bits);
#else
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
#endif
}

OWQ_THREAD uint32_t bitsOfFloat(float value) {
#ifdef __CUDA_ARCH__
    return __float_as_uint(value);
#else
    uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    return bits;
#endif
}

OWQ_THREAD float floatOfHalf(uint16_t half) {
#ifdef __CUDA_ARCH__
    return __half2float(__ushort_as_half(half));
#else
    const uint32_t sign = uint32_t(half & 0x8000u) << 16, exponent = half >> 10 & 31u,
                   mantissa = half & 0x3ffu;
    if (exponent == 31) return floatOfBits(sign | 0x7f800000u | mantissa << 13);
    if (exponent) return floatOfBits(sign | (exponent + 112) << 23 | mantissa << 13);
    return (sign ? -1.0f : 1.0f) * (float(mantissa) * floatOfBits(0x33800000u));  // times 2^-24
#endif
}

/// Half to even; 65520 and more become infinite.
OWQ_THREAD uint16_t halfOfFloat(float value) {
#ifdef __CUDA_ARCH__
    return __half_as_ushort(__float2half_rn(value));
#else
    const uint32_t bits = bitsOfFloat(value), sign = bits >> 16 & 0x8000u, size = bits & 0x7fffffffu;
    if (size > 0x7f800000u) return uint16_t(sign | 0x7e00u);
    if (size >= 0x477ff000u) return uint16_t(sign | 0x7c00u);
    if (size < 0x38800000u)  // below 2^-14: a multiple of 2^-24, as adding 0.5 makes it
        return uint16_t(sign | (bitsOfFloat(floatOfBits(size) + 0.5f) - 0x3f000000u));
    return uint16_t(sign | (size - 0x38000000u + 0xfffu + (size >> 13 & 1u)) >> 13);
#endif
}

OWQ_THREAD float multiplyAdd(float a, float b, float c) {
#ifdef __CUDA_ARCH__
    return __fmaf_rn(a, b, c);
#else
    return __builtin_fmaf(a, b, c);
#endif
}

/// Half to even, for |x| < 2^22: two additions, where the GPU's rounding instruction is slow.
OWQ_THREAD float rounded(float x) {
    return (x + 12582912.0f) - 12582912.0f;
}

/// As the CPU kernels do it: a NaN stays one.
OWQ_THREAD float clamped(float x, float low, float high) {
    const float atLeast = x < low ? low : x;
    return atLeast > high ? high : atLeast;
}

}  // namespace owq::kernels::cuda
