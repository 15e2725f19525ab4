// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/api.h"

#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "kernels/cuda/arguments.h"
#include "kernels/cuda/host_parts.h"
#include "kernels/cuda/matvec.cuh"
#include "kernels/cuda/quantize.cuh"

using owq::kernels::cuda::DeviceWeight;
namespace gpu = owq::kernels::cuda;

struct OwqCudaMatrix {
    DeviceWeight weight;
    std::vector<void*> held;
    uint64_t bytes = 0;
    ~OwqCudaMatrix() {
        for (void* p : held) cudaFree(p);
    }
};

struct OwqCudaRecording {
    cudaGraph_t graph = nullptr;
    cudaGraphExec_t ready = nullptr;
    cudaEvent_t begin = nullptr, end = nullptr;
    ~OwqCudaRecording() {
        if (begin) cudaEventDestroy(begin);
        if (end) cudaEventDestroy(end);
        if (ready) cudaGraphExecDestroy(ready);
        if (graph) cudaGraphDestroy(graph);
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
cudaError_t take(OwqCudaMatrix& matrix, size_t count, T** device) {
    void* memory = nullptr;
    const cudaError_t error = cudaMalloc(&memory, count * sizeof(T));
    if (error != cudaSuccess) return error;
    matrix.held.push_back(memory);
    matrix.bytes += count * sizeof(T);
    *device = static_cast<T*>(memory);
    return cudaSuccess;
}

template <class T>
cudaError_t place(OwqCudaMatrix& matrix, const T* values, size_t count, const T** device) {
    T* memory = nullptr;
    if (!count) return cudaSuccess;
    const cudaError_t error = take(matrix, count, &memory);
    *device = memory;
    return error == cudaSuccess ? cudaMemcpy(memory, values, count * sizeof(T), cudaMemcpyHostToDevice) : error;
}

cudaError_t askLimits(gpu::GpuLimits& limits) {
    int device = 0, block = 0, processor = 0, major = 0;
    cudaError_t error = cudaGetDevice(&device);
    const auto ask = [&](int* value, cudaDeviceAttr what) {
        if (error == cudaSuccess) error = cudaDeviceGetAttribute(value, what, device);
    };
    ask(&limits.processors, cudaDevAttrMultiProcessorCount);
    ask(&block, cudaDevAttrMaxSharedMemoryPerBlockOptin);
    ask(&processor, cudaDevAttrMaxSharedMemoryPerMultiprocessor);
    ask(&major, cudaDevAttrComputeCapabilityMajor);
    // 1 KiB for the shared variables beside the dynamic part
    limits = {limits.processors, block - 1024, processor - 2048, major >= 9};
    return error;
}

cudaError_t fill(OwqCudaMatrix& matrix, const OwqCudaWeight& w, const gpu::HostParts& parts) {
    DeviceWeight& d = matrix.weight;
    d.shape = parts.shape;
    d.weakCount = w.weakCount;
    uint32_t* words = nullptr;
    cudaError_t error = place(matrix, parts.rows.data(), parts.rows.size(), &d.rows);
    if (error == cudaSuccess) error = place(matrix, w.weakColumns, size_t(w.weakCount), &d.weakColumns);
    if (error == cudaSuccess) error = place(matrix, parts.weakInputs.data(), parts.weakInputs.size(), &d.weakInputs);
    if (error == cudaSuccess) error = place(matrix, parts.weakWords.data(), parts.weakWords.size(), &d.weakWords);
    if (error == cudaSuccess) error = take(matrix, size_t(d.shape.words()), &words);
    d.words = words;
    if (error != cudaSuccess) return error;
    OwqCudaMatrix unpacked;  // for as long as it is packed
    gpu::UnpackedWeight from;
    const size_t grids = w.groupSize ? size_t(w.rows * d.shape.groups()) : 0;
    error = place(unpacked, w.codes, size_t(w.rows * w.columns), &from.codes);
    if (error == cudaSuccess) error = place(unpacked, w.scale, grids, &from.scale);
    if (error == cudaSuccess) error = place(unpacked, w.zero, grids, &from.zero);
    if (error == cudaSuccess) error = gpu::packWeight(d, from, words);
    return error == cudaSuccess ? cudaStreamSynchronize(nullptr) : error;
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

int32_t cacheBytes(uint64_t* bytes) {
    int device = 0, size = 0;
    cudaError_t error = cudaGetDevice(&device);
    if (error == cudaSuccess) error = cudaDeviceGetAttribute(&size, cudaDevAttrL2CacheSize, device);
    *bytes = uint64_t(size);
    return answer(error);
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
    if (const char* why = gpu::fault(*w)) return refuse(why);
    try {
        gpu::GpuLimits limits;
        if (const int32_t result = answer(askLimits(limits))) return result;
        const gpu::HostParts parts = gpu::hostParts(*w);
        if (!gpu::hasProduct(parts.shape, limits)) {
            refuse("the GPU's processors have too little memory for the product of such a weight");
            return OWQ_CUDA_NO_PRODUCT;
        }
        auto matrix = new OwqCudaMatrix;
        matrix->weight.gpu = limits;
        const int32_t result = answer(fill(*matrix, *w, parts));
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

int32_t matrixBytes(const OwqCudaMatrix* matrix, uint64_t* bytes) {
    *bytes = matrix->bytes;
    return 0;
}

int32_t workspaceBytes(const OwqCudaMatrix* matrix, int64_t batch, int32_t halves, size_t* bytes) {
    if (const char* why = gpu::batchFault(batch, halves)) return refuse(why);
    *bytes = gpu::workspaceBytes(matrix->weight, batch, halves);
    return 0;
}

int32_t multiply(const OwqCudaMatrix* matrix, const OwqCudaVectors* v, void* stream) {
    if (const char* why = gpu::batchFault(v->batch, v->halves)) return refuse(why);
    if (const char* why = gpu::fault(*v, gpu::workspaceBytes(matrix->weight, v->batch, v->halves))) return refuse(why);
    return answer(gpu::multiply(matrix->weight, *v, static_cast<cudaStream_t>(stream)));
}

int32_t dequantize(const OwqCudaMatrix* matrix, int64_t firstRow, int64_t rows, float* out, void* stream) {
    if (const char* why = gpu::rowsFault(matrix->weight.shape.rows, firstRow, rows, out)) return refuse(why);
    return answer(gpu::dequantize(matrix->weight, firstRow, rows, out, static_cast<cudaStream_t>(stream)));
}

int32_t synchronize(void* stream) {
    return answer(cudaStreamSynchronize(static_cast<cudaStream_t>(stream)));
}

int32_t beginRecording(void* stream) {
    return answer(cudaStreamBeginCapture(static_cast<cudaStream_t>(stream), cudaStreamCaptureModeRelaxed));
}

int32_t endRecording(void* stream, OwqCudaRecording** out) {
    *out = nullptr;
    auto recording = new (std::nothrow) OwqCudaRecording;
    if (!recording) return refuse("out of memory while work for the GPU was recorded");
    cudaError_t error = cudaStreamEndCapture(static_cast<cudaStream_t>(stream), &recording->graph);
    if (error == cudaSuccess) error = cudaGraphInstantiate(&recording->ready, recording->graph, 0);
    if (error == cudaSuccess) error = cudaEventCreate(&recording->begin);
    if (error == cudaSuccess) error = cudaEventCreate(&recording->end);
    if (error == cudaSuccess)
        *out = recording;
    else
        delete recording;
    return answer(error);
}

int32_t replay(const OwqCudaRecording* recording, void* stream, double* seconds) {
    const auto on = static_cast<cudaStream_t>(stream);
    float milliseconds = 0;
    cudaError_t error = cudaEventRecord(recording->begin, on);
    if (error == cudaSuccess) error = cudaGraphLaunch(recording->ready, on);
    if (error == cudaSuccess) error = cudaEventRecord(recording->end, on);
    if (error == cudaSuccess) error = cudaEventSynchronize(recording->end);
    if (error == cudaSuccess) error = cudaEventElapsedTime(&milliseconds, recording->begin, recording->end);
    *seconds = milliseconds * 1e-3;
    return answer(error);
}

void destroyRecording(OwqCudaRecording* recording) {
    delete recording;
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
    static const OwqCudaApi api = {
        OWQ_CUDA_ABI, lastError,     deviceCount,   deviceName,    cacheBytes,  freeMemory,     allocate,
        release,      upload,        download,      createMatrix,  destroyMatrix, matrixBytes,  workspaceBytes,
        multiply,     dequantize,    synchronize,   beginRecording, endRecording, replay,       destroyRecording,
        clear,        addGram,       finishGram,    findGrid,      roundToGrid, quantizeBlock,  addProduct,
        descendBlock, packCodes};
    return &api;
}
