// SPDX-License-Identifier: Apache-2.0
// Search of the quantization grid of a row: step size and zero point that minimise mean |x - grid(x)|^2.4
// (OWQ, "Quantization Configuration Search"; the exact rule is the one of the authors' code).
#pragma once
#include <cstdint>
#include <stop_token>

namespace owq::kernels {

struct GridOptions {
    int bits = 3;            ///< 2…8
    int steps = 100;         ///< candidates of the step size; 40 for ranking and for groups
    bool symmetric = false;  ///< codes -(L/2+1)…L/2 around zero instead of 0…L with a zero point
    bool search = true;      ///< false: plain min-max grid
};

/// One grid per row of w [rows, columns] (leading dimension `stride` floats).
/// `excluded`: [columns] flags of columns that do not count (weak columns), or null.
/// scale [rows] > 0; zero [rows] is a whole number 0…2^bits-1 (symmetric: 2^(bits-1)).
/// Value of code c: scale * (c - zero). Equal results for any number of threads and any instruction set.
/// `stop` is polled between rows; a request ends the search early with unspecified results.
void findGrid(const float* w, int64_t rows, int64_t columns, int64_t stride, const uint8_t* excluded,
              const GridOptions& options, float* scale, float* zero, std::stop_token stop = {});

/// codes[r][c] = clamp(rint(w/scale) + zero, 0, 2^bits - 1), and, when not null, values = scale * (code - zero).
void roundToGrid(const float* w, int64_t rows, int64_t columns, int64_t stride, const float* scale, const float* zero,
                 int bits, uint8_t* codes, float* values);

}  // namespace owq::kernels
