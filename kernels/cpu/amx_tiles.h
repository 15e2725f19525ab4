// SPDX-License-Identifier: Apache-2.0
// The matrix unit of Intel's AMX: tile registers of 16 rows of 64 bytes (Intel 64 and IA-32 Software Developer's Manual, volume 1, chapter 18).
// By assembly, so that a file needs no option for it and the compiler knows of no tile that it could use elsewhere.
#pragma once
#include <cstdint>

namespace owq::kernels {

struct AmxTiles {
    /// Before any other: all tiles that are used here are whole ones.
    static void begin() {
        struct alignas(64) Config {
            uint8_t palette = 1, startRow = 0, reserved[14] = {};
            uint16_t rowBytes[16] = {64, 64, 64, 64, 64, 64};
            uint8_t rows[16] = {16, 16, 16, 16, 16, 16};
        };
        static_assert(sizeof(Config) == 64);
        static constexpr Config kConfig;
        asm volatile("ldtilecfg %0" ::"m"(kConfig));
    }

    /// After all: otherwise each change of threads saves 8 KiB of them.
    static void end() { asm volatile("tilerelease"); }

    template <int kTile>
    static void zero() {
        asm volatile("tilezero %%tmm%c0" ::"i"(kTile));
    }

    /// 1024 bytes.
    template <int kTile>
    static void load(const void* from) {
        asm volatile("tileloadd (%1,%2,1), %%tmm%c0" ::"i"(kTile), "r"(from), "r"(int64_t(64)) : "memory");
    }

    template <int kTile>
    static void store(void* to) {
        asm volatile("tilestored %%tmm%c0, (%1,%2,1)" ::"i"(kTile), "r"(to), "r"(int64_t(64)) : "memory");
    }

    /// sums[m][n] += Σ codes[m][4 k + i] x[k][4 n + i] over k < 16, i < 4: 32-bit sums, codes without sign, x with one.
    template <int kSums, int kCodes, int kX>
    static void dot() {
        asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kSums), "i"(kCodes), "i"(kX));
    }
};

}  // namespace owq::kernels
