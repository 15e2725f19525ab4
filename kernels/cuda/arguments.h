// SPDX-License-Identifier: Apache-2.0
// Is an operation possible? Null, or the reason why not: a wrong shape must end here, not in the GPU's
// memory. What pointers point to cannot be checked. C++17, because nvcc sees it.
#pragma once
#include <cstdint>

#include "kernels/cuda/api.h"

namespace owq::kernels::cuda {

constexpr int64_t kMostColumns = 1 << 20;  ///< of any matrix; grids of tiles are counted in 16 bits
constexpr int64_t kMostRows = INT32_MAX;   ///< a block of threads per row

inline bool anyNull() {
    return false;
}
template <class First, class... Rest>
bool anyNull(const First* first, const Rest*... rest) {
    return !first || anyNull(rest...);
}

inline const char* sizeFault(int64_t rows, int64_t columns) {
    if (rows < 0 || columns < 0) return "a negative number of rows or columns";
    if (rows > kMostRows || columns > kMostColumns) return "a matrix too large for the GPU kernels";
    return nullptr;
}

inline const char* bitsFault(int32_t bits) {
    return bits < 2 || bits > 8 ? "only grids of 2 to 8 bits have GPU kernels" : nullptr;
}

constexpr const char* kNullPointer = "a null pointer where the GPU's memory is needed";
constexpr const char* kShortStride = "a leading dimension shorter than a row";

inline const char* gramFault(const float* sum, int64_t columns) {
    if (const char* why = sizeFault(0, columns)) return why;
    return columns && !sum ? kNullPointer : nullptr;
}

inline const char* fault(const OwqCudaInputs& inputs, const float* sum) {
    if (inputs.tokens < 0) return "a negative number of tokens";
    if (inputs.type < OWQ_CUDA_F32 || inputs.type > OWQ_CUDA_BF16) return "inputs of an unknown type";
    if (const char* why = gramFault(sum, inputs.columns)) return why;
    if (inputs.tokens && inputs.columns && !inputs.x) return kNullPointer;
    if (inputs.type != OWQ_CUDA_F32 && (inputs.columns % 8 || reinterpret_cast<uintptr_t>(inputs.x) % 16))
        return "16-bit inputs need a multiple of 8 columns and memory at a multiple of 16 bytes";
    return nullptr;
}

inline const char* fault(const OwqCudaGridSearch& s) {
    if (const char* why = sizeFault(s.rows, s.columns)) return why;
    if (const char* why = bitsFault(s.bits)) return why;
    if (s.search && s.steps < 1) return "a range search without steps";
    if (s.rows && (anyNull(s.scale, s.zero) || (s.columns && !s.w))) return kNullPointer;
    if (s.stride < s.columns || s.gridStride < 1) return kShortStride;
    return nullptr;
}

inline const char* fault(const OwqCudaRounding& r) {
    if (const char* why = sizeFault(r.rows, r.columns)) return why;
    if (const char* why = bitsFault(r.bits)) return why;
    if (r.rows && r.columns && anyNull(r.w, r.scale, r.zero, r.codes)) return kNullPointer;
    return r.stride < r.columns ? kShortStride : nullptr;
}

inline const char* fault(const OwqCudaColumnBlock& b) {
    if (const char* why = sizeFault(b.rows, b.columns)) return why;
    if (const char* why = bitsFault(b.bits)) return why;
    if (b.columns > OWQ_CUDA_BLOCK_COLUMNS) return "a block of more than 128 columns";
    if (b.columns && !b.loss) return kNullPointer;
    if (b.rows && b.columns &&
        anyNull(b.w, b.factor, b.pivot, b.scale, b.zero, b.grid, b.error, b.codes, b.scratch))
        return kNullPointer;
    if (b.wStride < b.columns || (b.original && b.originalStride < b.columns) || b.factorStride < b.columns ||
        b.errorStride < b.columns || b.codeStride < b.columns || b.gridStride < 1)
        return kShortStride;
    return nullptr;
}

inline const char* fault(const OwqCudaProduct& p) {
    if (const char* why = sizeFault(p.rows, p.columns)) return why;
    if (const char* why = sizeFault(0, p.depth)) return why;
    if (p.rows && p.columns && p.depth && anyNull(p.out, p.left, p.right)) return kNullPointer;
    return p.outStride < p.columns || p.leftStride < p.depth || p.rightStride < p.columns ? kShortStride
                                                                                          : nullptr;
}

inline const char* fault(const OwqCudaDescent& d) {
    if (const char* why = sizeFault(d.rows, d.columns)) return why;
    if (const char* why = bitsFault(d.bits)) return why;
    if (d.columns > OWQ_CUDA_BLOCK_COLUMNS) return "a block of more than 128 columns";
    if (d.rows && d.columns && anyNull(d.pull, d.hessian, d.scale, d.zero, d.grid, d.codes, d.change))
        return kNullPointer;
    if (d.pullStride < d.columns || d.hessianStride < d.columns || d.codeStride < d.columns ||
        d.changeStride < d.columns || d.gridStride < 1)
        return kShortStride;
    return nullptr;
}

inline const char* fault(const OwqCudaWeight& w) {
    if (const char* why = sizeFault(w.rows, w.columns)) return why;
    if (w.rows < 1 || w.columns < 1 || w.weakCount < 0 || w.weakCount > w.columns) return "impossible shape of a packed weight";
    if (w.bits != 2 && w.bits != 3 && w.bits != 4 && w.bits != 8) return "only weights of 2, 3, 4 and 8 bits have a product on the GPU";
    if (w.groupSize < 0 || w.groupSize % 32) return "only weights with one grid a row or in groups of a multiple of 32 columns have a product on the GPU";
    if (anyNull(w.codes, w.scale, w.zero) || (w.weakCount && anyNull(w.weakColumns, w.weakWeight))) return "a part of a packed weight is missing";
    for (int64_t j = 0; j < w.weakCount; ++j)
        if (w.weakColumns[j] < 0 || w.weakColumns[j] >= w.columns || (j && w.weakColumns[j] <= w.weakColumns[j - 1]))
            return "weak columns that are not ascending or lie outside the weight";
    return nullptr;
}

inline const char* batchFault(int64_t batch, int32_t halves) {
    if (batch < 1 || batch > OWQ_CUDA_MOST_BATCH) return "a packed product takes 1 to 64 tokens";
    return halves == 1 || halves == 2 ? nullptr : "an input becomes one half or two";
}

/// workspace: bytes that are needed.
inline const char* fault(const OwqCudaVectors& v, size_t workspace) {
    if (const char* why = batchFault(v.batch, v.halves)) return why;
    if (v.type != OWQ_CUDA_F32 && v.type != OWQ_CUDA_F16) return "inputs of an unknown type";
    if (!v.x || !v.y || !v.workspace) return kNullPointer;
    if (v.workspaceBytes < workspace || reinterpret_cast<uintptr_t>(v.workspace) % 16) return "a workspace too small, or not at a multiple of 16 bytes";
    return nullptr;
}

inline const char* rowsFault(int64_t matrixRows, int64_t firstRow, int64_t rows, const float* out) {
    if (firstRow < 0 || rows < 0 || rows > matrixRows - firstRow) return "rows that a matrix does not have";
    return rows && !out ? kNullPointer : nullptr;
}

inline const char* packingFault(const uint8_t* codes, int64_t rows, int64_t columns, int32_t bits,
                                const int32_t* words) {
    if (const char* why = sizeFault(rows, columns)) return why;
    if (bits != 2 && bits != 3 && bits != 4 && bits != 8) return "codes of this width cannot be packed";
    if (columns % 32) return "packed rows are a multiple of 32 codes long";
    return rows && columns && anyNull(codes, words) ? kNullPointer : nullptr;
}

}  // namespace owq::kernels::cuda
