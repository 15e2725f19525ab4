// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/api.h"

#include <cuda_fp16.h>

#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "kernels/cuda/arguments.h"
#include "kernels/cuda/layout.h"
#include "kernels/cuda/matvec.cuh"
#include "kernels/cuda/quantize.cuh"

using owq::kernels::cuda::DeviceWeight;
namespace gpu = owq::kernels::cuda;

struct OwqCudaMatrix {
    DeviceWeight weight;
    std::vector<void*> held;
    ~OwqCudaMatrix() {
        for (void* p : held) cudaFree(p);
    }
};

namespace {

thread_local std::string reason;

int32_t answer(cudaError_t error) {
    if (error == cudaSuccess) return 0;
    reason = cudaGetErrorString(error);
    cudaGetLastError();  // an error that is not sticky must not come up again in another call
    return int32_t(error);
}

int32_t refuse(const char* why) {
    reason = why;
    return -1;
}

template <class T>
cudaError_t place(OwqCudaMatrix& matrix, const std::vector<T>& values, const T** device) {
    if (values.empty()) return cudaSuccess;
    void* memory = nullptr;
    cudaError_t error = cudaMalloc(&memory, values.size() * sizeof(T));
    if (error != cudaSuccess) return error;
    matrix.held.push_back(memory);
    *device = static_cast<const T*>(memory);
    return cudaMemcpy(memory, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice);
}

std::vector<float> padded(const float* values, int64_t count, int64_t size) {
    std::vector<float> out(static_cast<size_t>(size));
    std::memcpy(out.data(), values, size_t(count) * sizeof(float));
    return out;
}

/// Weak weights as halves where that loses nothing, which is so for models in half precision.
cudaError_t placeWeak(OwqCudaMatrix& matrix, const OwqCudaWeight& w) {
    const int64_t k = w.weakCount, padded = matrix.weight.paddedRows;
    std::vector<float> floats(size_t(k * padded));
    std::vector<uint16_t> halves(floats.size());
    bool exact = true;
    for (int64_t j = 0; j < k; ++j)
        for (int64_t r = 0; r < w.rows; ++r) {
            const float value = w.weakWeight[r * k + j];
            const __half half = __float2half_rn(value);
            floats[size_t(j * padded + r)] = value;
            std::memcpy(&halves[size_t(j * padded + r)], &half, sizeof half);
            exact = exact && __half2float(half) == value;
        }
    return exact ? place(matrix, halves, &matrix.weight.weakHalf)
                 : place(matrix, floats, &matrix.weight.weakFloat);
}

cudaError_t fill(OwqCudaMatrix& matrix, const OwqCudaWeight& w) {
    DeviceWeight& d = matrix.weight;
    d.rows = w.rows, d.columns = w.columns, d.bits = w.bits, d.weakCount = w.weakCount;
    d.paddedRows = gpu::tileCount(w.rows) * gpu::kTileRows;
    d.chunks = gpu::chunkCount(w.columns);
    cudaError_t error = place(matrix, gpu::gpuWords(w.words, w.rows, w.columns, w.bits), &d.words);
    if (error == cudaSuccess) error = place(matrix, padded(w.scale, w.rows, d.paddedRows), &d.scale);
    if (error == cudaSuccess) error = place(matrix, padded(w.zero, w.rows, d.paddedRows), &d.zero);
    if (error == cudaSuccess && w.bias) error = place(matrix, padded(w.bias, w.rows, w.rows), &d.bias);
    if (error == cudaSuccess && w.weakCount) {
        error =
            place(matrix, std::vector<int32_t>(w.weakColumns, w.weakColumns + w.weakCount), &d.weakColumns);
        if (error == cudaSuccess) error = placeWeak(matrix, w);
    }
    return error;
}

const char* lastError() {
    return reason.c_str();
}

int32_t deviceCount(int32_t* count) {
    int n = 0;
    const int32_t result = answer(cudaGetDeviceCount(&n));
    *count = result ? 0 : n;
    return result;
}

int32_t deviceName(int32_t device, char* name, size_t size, uint64_t* memoryBytes) {
    cudaDeviceProp properties;
    const int32_t result = answer(cudaGetDeviceProperties(&properties, device));
    if (result || !size) return result;
    std::strncpy(name, properties.name, size - 1);
    name[size - 1] = 0;
    *memoryBytes = properties.totalGlobalMem;
    return 0;
}

int32_t freeMemory(uint64_t* bytes) {
    size_t free = 0, total = 0;
    const int32_t result = answer(cudaMemGetInfo(&free, &total));
    *bytes = free;
    return result;
}

int32_t allocate(size_t bytes, void** device) {
    return answer(cudaMalloc(device, bytes));
}
void release(void* device) {
    cudaFree(device);
}
int32_t upload(void* device, const void* host, size_t bytes) {
    return answer(cudaMemcpy(device, host, bytes, cudaMemcpyHostToDevice));
}
int32_t download(void* host, const void* device, size_t bytes) {
    return answer(cudaMemcpy(host, device, bytes, cudaMemcpyDeviceToHost));
}

int32_t createMatrix(const OwqCudaWeight* w, OwqCudaMatrix** out) {
    *out = nullptr;
    if (w->bits != 3 && w->bits != 4) return refuse("only 3- and 4-bit weights have a GPU kernel");
    if (w->rows < 1 || w->columns < 32 || w->columns % 32 || w->weakCount < 0 || w->weakCount > w->columns)
        return refuse("impossible shape of a packed weight");
    try {
        auto matrix = new OwqCudaMatrix;
        const int32_t result = answer(fill(*matrix, *w));
        if (result)
            delete matrix;
        else
            *out = matrix;
        return result;
    } catch (const std::bad_alloc&) {
        return refuse("out of memory while a weight was prepared for the GPU");
    }
}

void destroyMatrix(OwqCudaMatrix* matrix) {
    delete matrix;
}

int32_t multiply(const OwqCudaMatrix* matrix, const uint16_t* x, int64_t batch, float* y, void* stream) {
    return answer(gpu::multiply(matrix->weight, x, batch, y, static_cast<cudaStream_t>(stream)));
}

int32_t synchronize(void* stream) {
    return answer(cudaStreamSynchronize(static_cast<cudaStream_t>(stream)));
}

int32_t clear(void* device, size_t bytes, void* stream) {
    return answer(cudaMemsetAsync(device, 0, bytes, static_cast<cudaStream_t>(stream)));
}

int32_t addGram(const OwqCudaInputs* inputs, float* sum, void* stream) {
    if (const char* why = gpu::fault(*inputs, sum)) return refuse(why);
    return answer(gpu::addGram(*inputs, sum, static_cast<cudaStream_t>(stream)));
}

int32_t finishGram(float* sum, int64_t columns, float factor, void* stream) {
    if (const char* why = gpu::gramFault(sum, columns)) return refuse(why);
    return answer(gpu::finishGram(sum, columns, factor, static_cast<cudaStream_t>(stream)));
}

/// Where the checks and the launcher of an operation go by the same names.
template <class Work>
int32_t start(const Work& work, cudaError_t (*launch)(const Work&, cudaStream_t), void* stream) {
    if (const char* why = gpu::fault(work)) return refuse(why);
    return answer(launch(work, static_cast<cudaStream_t>(stream)));
}

int32_t findGrid(const OwqCudaGridSearch* search, void* stream) {
    return start(*search, gpu::findGrid, stream);
}
int32_t roundToGrid(const OwqCudaRounding* rounding, void* stream) {
    return start(*rounding, gpu::roundToGrid, stream);
}
int32_t quantizeBlock(const OwqCudaColumnBlock* block, void* stream) {
    return start(*block, gpu::quantizeBlock, stream);
}
int32_t addProduct(const OwqCudaProduct* product, void* stream) {
    return start(*product, gpu::addProduct, stream);
}
int32_t descendBlock(const OwqCudaDescent* block, void* stream) {
    return start(*block, gpu::descendBlock, stream);
}

int32_t packCodes(const uint8_t* codes, int64_t rows, int64_t columns, int32_t bits, int32_t* words,
                  void* stream) {
    if (const char* why = gpu::packingFault(codes, rows, columns, bits, words)) return refuse(why);
    return answer(gpu::packCodes(codes, rows, columns, bits, words, static_cast<cudaStream_t>(stream)));
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const OwqCudaApi* owqCudaApi(void) {
    static const OwqCudaApi api = {OWQ_CUDA_ABI, lastError,   deviceCount,   deviceName,   freeMemory,
                                   allocate,     release,     upload,        download,     createMatrix,
                                   destroyMatrix, multiply,   synchronize,   clear,        addGram,
                                   finishGram,   findGrid,    roundToGrid,   quantizeBlock, addProduct,
                                   descendBlock, packCodes};
    return &api;
}
