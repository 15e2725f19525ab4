/* SPDX-License-Identifier: Apache-2.0
 *
 * The door of libowq_kernels_cuda.so. Plain C, one exported function, so that a program without CUDA can open
 * it at run time. Functions return 0, or another number with the reason in lastError(). Pointers named
 * *Device are memory of the GPU.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OWQ_CUDA_ABI 1
#define OWQ_CUDA_API_SYMBOL "owqCudaApi"

/** A packed weight in host memory, in the file's order (kernels/matvec.h says what each part is). */
typedef struct OwqCudaWeight {
    const int32_t* words; /* [columns/32*bits, rows] */
    int64_t rows, columns;
    int32_t bits;       /* 3 or 4 */
    const float* scale; /* [rows] */
    const float* zero;  /* [rows], whole numbers 0 … 2^bits-1 */
    const int32_t* weakColumns;
    const float* weakWeight; /* [rows, weakCount] */
    int64_t weakCount;
    const float* bias; /* [rows] or NULL */
} OwqCudaWeight;

typedef struct OwqCudaMatrix OwqCudaMatrix;

typedef struct OwqCudaApi {
    int32_t abi; /* OWQ_CUDA_ABI */
    /** The reason of the calling thread's last failure, for a person. */
    const char* (*lastError)(void);
    int32_t (*deviceCount)(int32_t* count);
    int32_t (*deviceName)(int32_t device, char* name, size_t size, uint64_t* memoryBytes);
    int32_t (*allocate)(size_t bytes, void** device);
    void (*release)(void* device);
    int32_t (*upload)(void* device, const void* host, size_t bytes);
    int32_t (*download)(void* host, const void* device, size_t bytes);
    /** Copies a weight to the current GPU, in the kernels' own order. */
    int32_t (*createMatrix)(const OwqCudaWeight* weight, OwqCudaMatrix** matrix);
    void (*destroyMatrix)(OwqCudaMatrix* matrix);
    /** y[t][r] = Σ_c W[r][c] x[t][c] + bias[r]: x [batch, columns] half, y [batch, rows] float. Any batch;
     * made for 1…8. Asynchronous on `stream` (a cudaStream_t, NULL for the default one). Equal inputs give
     * equal bits. */
    int32_t (*multiply)(const OwqCudaMatrix* matrix, const uint16_t* xDevice, int64_t batch, float* yDevice,
                        void* stream);
    int32_t (*synchronize)(void* stream);
} OwqCudaApi;

typedef const OwqCudaApi* (*OwqCudaApiFunction)(void);

#ifdef __cplusplus
}
#endif
