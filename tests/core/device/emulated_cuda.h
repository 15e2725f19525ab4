// SPDX-License-Identifier: Apache-2.0
// A GPU that is none: the door of kernels/cuda with functions for host memory, so that what runs on a GPU (all but the copies) also
// runs where there is none. Its arguments are checked as the real door checks them, and its arithmetic is the CPU kernels'.
#pragma once
#include <ATen/ops/from_blob.h>

#include <atomic>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/device/cuda_device.h"
#include "kernels/column_loop.h"
#include "kernels/cuda/arguments.h"
#include "kernels/descent.h"
#include "kernels/gram_sum.h"
#include "kernels/matvec.h"
#include "kernels/range_search.h"

struct OwqCudaMatrix {
    owq::kernels::PackedMatrix matrix;
};
struct OwqCudaRecording {};

namespace owq::testing {

namespace emulated {

inline thread_local std::string reason;
inline std::atomic<int> calls = 0;         ///< of all operations
inline std::atomic<int> products = 0;      ///< packed ones among them
inline std::atomic<int> dequantized = 0;   ///< times that rows were made dense
inline std::atomic<int> failAfter = -1;    ///< the operation after so many more fails; -1: none

inline int32_t begin(const char* fault) {
    ++calls;
    if (failAfter >= 0 && failAfter-- == 0) fault = "an emulated failure";
    if (fault) reason = fault;
    return fault ? -1 : 0;
}

/// The sums under way, by their place, as the CPU keeps them: in tiles.
inline std::mutex sumsMutex;
inline std::map<const float*, std::unique_ptr<kernels::GramSum>> sums;

inline const char* lastError() { return reason.c_str(); }
inline int32_t freeMemory(uint64_t* bytes) {
    *bytes = uint64_t(1) << 36;
    return 0;
}
inline int32_t synchronize(void*) { return 0; }
inline int32_t cacheBytes(uint64_t* bytes) {
    *bytes = 1 << 16;
    return 0;
}

inline std::atomic<int> recordings = 0, replays = 0;  ///< recordings: those that there are now
inline std::atomic<bool> cannotRecord = false;
/// What is recorded is done at once, and takes kReplaySeconds each time that it is repeated.
constexpr double kReplaySeconds = 1.0 / 64;
inline int32_t beginRecording(void*) { return 0; }
inline int32_t endRecording(void*, OwqCudaRecording** recording) {
    *recording = nullptr;
    if (cannotRecord) return begin("nothing can be recorded");
    ++recordings;
    *recording = new OwqCudaRecording;
    return 0;
}
inline int32_t replay(const OwqCudaRecording*, void*, double* seconds) {
    ++replays;
    *seconds = kReplaySeconds;
    return 0;
}
inline void destroyRecording(OwqCudaRecording* recording) {
    --recordings;
    delete recording;
}

inline int32_t addGram(const OwqCudaInputs* in, float* sum, void*) {
    if (begin(kernels::cuda::fault(*in, sum))) return -1;
    const std::lock_guard lock(sumsMutex);
    auto& held = sums[sum];
    if (!held) held = std::make_unique<kernels::GramSum>(in->columns);
    held->add(static_cast<const float*>(in->x), in->tokens);
    return 0;
}
inline int32_t finishGram(float* sum, int64_t columns, float factor, void*) {
    if (begin(kernels::cuda::gramFault(sum, columns))) return -1;
    const std::lock_guard lock(sumsMutex);
    if (const auto held = sums.extract(sum)) held.mapped()->copyTo(factor, sum);
    return 0;
}

inline int32_t findGrid(const OwqCudaGridSearch* s, void*) {
    if (begin(kernels::cuda::fault(*s))) return -1;
    std::vector<float> scale(size_t(s->rows)), zero(size_t(s->rows));
    kernels::findGrid(s->w, s->rows, s->columns, s->stride, s->excluded, {s->bits, s->steps, s->symmetric != 0, s->search != 0},
                      scale.data(), zero.data());
    for (int64_t r = 0; r < s->rows; ++r) {
        s->scale[r * s->gridStride] = scale[size_t(r)];
        s->zero[r * s->gridStride] = zero[size_t(r)];
    }
    return 0;
}

inline int32_t roundToGrid(const OwqCudaRounding* r, void*) {
    if (begin(kernels::cuda::fault(*r))) return -1;
    kernels::roundToGrid(r->w, r->rows, r->columns, r->stride, r->scale, r->zero, r->bits, r->codes, r->values);
    return 0;
}

inline int32_t quantizeBlock(const OwqCudaColumnBlock* b, void*) {
    if (begin(kernels::cuda::fault(*b))) return -1;
    std::vector<uint8_t> codes(size_t(b->rows * b->columns));
    kernels::quantizeBlock({.rows = b->rows, .columns = b->columns, .w = b->w, .wStride = b->wStride, .original = b->original,
                            .originalStride = b->originalStride, .factor = b->factor, .factorStride = b->factorStride,
                            .pivot = b->pivot, .scale = b->scale, .zero = b->zero, .gridStride = b->gridStride, .grid = b->grid,
                            .bits = b->bits, .error = b->error, .errorStride = b->errorStride, .codes = codes.data(), .loss = b->loss});
    for (int64_t r = 0; r < b->rows; ++r)
        std::memcpy(b->codes + r * b->codeStride, codes.data() + r * b->columns, size_t(b->columns));
    return 0;
}

inline int32_t addProduct(const OwqCudaProduct* p, void*) {
    if (begin(kernels::cuda::fault(*p))) return -1;
    const auto matrix = [](const float* at, int64_t rows, int64_t columns, int64_t stride) {
        return at::from_blob(const_cast<float*>(at), {rows, columns}, {stride, 1}, at::kFloat);
    };
    matrix(p->out, p->rows, p->columns, p->outStride)
        .addmm_(matrix(p->left, p->rows, p->depth, p->leftStride), matrix(p->right, p->depth, p->columns, p->rightStride), 1, p->factor);
    return 0;
}

inline int32_t descendBlock(const OwqCudaDescent* d, void*) {
    if (begin(kernels::cuda::fault(*d))) return -1;
    kernels::descendBlock({.rows = d->rows, .columns = d->columns, .pull = d->pull, .pullStride = d->pullStride, .hessian = d->hessian,
                           .hessianStride = d->hessianStride, .scale = d->scale, .zero = d->zero, .gridStride = d->gridStride,
                           .grid = d->grid, .bits = d->bits, .codes = d->codes, .codeStride = d->codeStride, .change = d->change,
                           .changeStride = d->changeStride});
    return 0;
}

inline std::atomic<bool> hasNoProduct = false;
inline int32_t createMatrix(const OwqCudaWeight* w, OwqCudaMatrix** matrix) {
    *matrix = nullptr;
    if (begin(kernels::cuda::fault(*w))) return -1;
    if (hasNoProduct) return OWQ_CUDA_NO_PRODUCT;
    *matrix = new OwqCudaMatrix{kernels::PackedMatrix({.codes = w->codes, .rows = w->rows, .columns = w->columns, .bits = w->bits,
                                                       .groupSize = w->groupSize, .scale = w->scale,
                                                       .zero = w->zero, .weakColumns = w->weakColumns, .weakWeight = w->weakWeight,
                                                       .weakCount = w->weakCount, .bias = w->bias})};
    return 0;
}
inline void destroyMatrix(OwqCudaMatrix* matrix) { delete matrix; }
inline int32_t matrixBytes(const OwqCudaMatrix* matrix, uint64_t* bytes) {
    *bytes = matrix->matrix.bytes();
    return 0;
}
constexpr size_t kWorkspaceBytes = 16;  ///< for each token
inline int32_t workspaceBytes(const OwqCudaMatrix*, int64_t batch, int32_t halves, size_t* bytes) {
    if (begin(kernels::cuda::batchFault(batch, halves))) return -1;
    *bytes = size_t(batch) * kWorkspaceBytes;
    return 0;
}
/// Inputs stay exact.
inline int32_t multiply(const OwqCudaMatrix* matrix, const OwqCudaVectors* v, void*) {
    if (begin(kernels::cuda::fault(*v, size_t(v->batch) * kWorkspaceBytes))) return -1;
    if (v->type != OWQ_CUDA_F32) return begin("the emulation takes fp32 inputs only");
    ++products;
    matrix->matrix.multiply(static_cast<const float*>(v->x), v->batch, v->y);
    return 0;
}
inline int32_t dequantize(const OwqCudaMatrix* matrix, int64_t firstRow, int64_t rows, float* out, void*) {
    if (begin(kernels::cuda::rowsFault(matrix->matrix.rows(), firstRow, rows, out))) return -1;
    ++dequantized;
    matrix->matrix.dequantizeRows(firstRow, firstRow + rows, out);
    return 0;
}

}  // namespace emulated

/// One for all tests of a program.
inline std::shared_ptr<const Device> emulatedDevice() {
    static const OwqCudaApi api = [] {
        OwqCudaApi table{};
        table.abi = OWQ_CUDA_ABI;
        table.lastError = emulated::lastError;
        table.freeMemory = emulated::freeMemory;
        table.createMatrix = emulated::createMatrix;
        table.destroyMatrix = emulated::destroyMatrix;
        table.matrixBytes = emulated::matrixBytes;
        table.workspaceBytes = emulated::workspaceBytes;
        table.multiply = emulated::multiply;
        table.dequantize = emulated::dequantize;
        table.synchronize = emulated::synchronize;
        table.cacheBytes = emulated::cacheBytes;
        table.beginRecording = emulated::beginRecording;
        table.endRecording = emulated::endRecording;
        table.replay = emulated::replay;
        table.destroyRecording = emulated::destroyRecording;
        table.addGram = emulated::addGram;
        table.finishGram = emulated::finishGram;
        table.findGrid = emulated::findGrid;
        table.roundToGrid = emulated::roundToGrid;
        table.quantizeBlock = emulated::quantizeBlock;
        table.addProduct = emulated::addProduct;
        table.descendBlock = emulated::descendBlock;
        return table;
    }();
    static const auto device = std::make_shared<const CudaDevice>(api, at::Device(at::kCPU), "emulated GPU");
    return device;
}

}  // namespace owq::testing
