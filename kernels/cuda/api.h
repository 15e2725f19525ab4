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

#define OWQ_CUDA_ABI 5
#define OWQ_CUDA_API_SYMBOL "owqCudaApi"

/** A packed weight in host memory: kernels/matvec.h PackedWeight. */
typedef struct OwqCudaWeight {
    const uint8_t* codes; /* [rows, columns] */
    int64_t rows, columns;
    int32_t bits; /* 2, 3, 4 or 8 */
    int64_t groupSize; /* columns, weak ones not counted, that share a grid: a multiple of 32; 0: all */
    const float* scale; /* [rows, groups], groups = columns / groupSize, rounded up */
    const float* zero;  /* the same; at least 0 for the bound of errors */
    const int32_t* weakColumns; /* ascending */
    const float* weakWeight; /* [rows, weakCount] */
    int64_t weakCount;
    const float* bias; /* [rows] or NULL */
} OwqCudaWeight;

typedef struct OwqCudaMatrix OwqCudaMatrix;

#define OWQ_CUDA_NO_PRODUCT (-2) /* createMatrix: of a weight for which the GPU's processors have too little memory */

#define OWQ_CUDA_MOST_BATCH 64 /* beyond, a dense product is faster */

/** y[t][r] = sum over c of W[r][c] x[t][c], plus bias[r]. */
typedef struct OwqCudaVectors {
    const void* x;  /* [batch, columns] of the GPU's memory, OWQ_CUDA_F32 or OWQ_CUDA_F16 */
    int32_t type;
    int32_t halves; /* that each input becomes: 1 (11 bits; all of fp16 within 2^29 of the largest), or 2 (22 bits) */
    int64_t batch;  /* 1…OWQ_CUDA_MOST_BATCH */
    float* y;       /* [batch, rows] */
    void* workspace; /* at a multiple of 16, of as many bytes as workspaceBytes asks for; for one product at a time */
    size_t workspaceBytes;
} OwqCudaVectors;

/* The quantizer. All pointers in these structs are memory of the GPU; leading dimensions and strides are in
 * elements; matrices are in row order. */

#define OWQ_CUDA_BLOCK_COLUMNS 128 /* columns of a block, at most */
#define OWQ_CUDA_BLOCK_ROWS 16     /* rows whose losses are summed together, as on the CPU */

enum { OWQ_CUDA_F32 = 0, OWQ_CUDA_F16 = 1, OWQ_CUDA_BF16 = 2 };

/** Inputs of a linear, [tokens, columns]. 16-bit ones: columns a multiple of 8, x at a multiple of 16 bytes.
 */
typedef struct OwqCudaInputs {
    const void* x;
    int32_t type;
    int64_t tokens, columns;
} OwqCudaInputs;

/** kernels/range_search.h findGrid. Row r's grid goes to scale[r * gridStride] and zero[r * gridStride]. */
typedef struct OwqCudaGridSearch {
    const float* w;
    int64_t rows, columns, stride;
    const uint8_t* excluded; /* [columns] flags of weak columns, or NULL */
    int32_t bits, steps, symmetric, search;
    float *scale, *zero;
    int64_t gridStride;
} OwqCudaGridSearch;

/** kernels/range_search.h roundToGrid: codes and, where not NULL, values are [rows, columns]. */
typedef struct OwqCudaRounding {
    const float* w;
    int64_t rows, columns, stride;
    const float *scale, *zero; /* [rows] */
    int32_t bits;
    uint8_t* codes;
    float* values;
} OwqCudaRounding;

/** kernels/column_loop.h quantizeBlock in both its forms, with the same results to the bit. */
typedef struct OwqCudaColumnBlock {
    int64_t rows, columns;
    float* w; /* out: quantized values, or w - q where `original` is given */
    int64_t wStride;
    const float* original; /* or NULL; may be where `error` is written */
    int64_t originalStride;
    const float* factor; /* the block's square, its diagonal not read */
    int64_t factorStride;
    const float* pivot;        /* [columns] */
    const float *scale, *zero; /* [rows, grids] */
    int64_t gridStride;
    const int32_t* grid; /* [columns] which of a row's grids each column uses */
    int32_t bits;
    float* error; /* [rows, columns] out */
    int64_t errorStride;
    uint8_t* codes; /* [rows, columns] out */
    int64_t codeStride;
    double* loss;    /* [columns] out: summed over rows */
    double* scratch; /* [ceil(rows / OWQ_CUDA_BLOCK_ROWS), columns] */
} OwqCudaColumnBlock;

/** What goes with a block: out [rows, columns] += factor * left [rows, depth] * right [depth, columns]. fp32,
 * no more than 2048 products in a chain. */
typedef struct OwqCudaProduct {
    int64_t rows, depth, columns;
    float* out;
    int64_t outStride;
    const float* left;
    int64_t leftStride;
    const float* right;
    int64_t rightStride;
    float factor;
} OwqCudaProduct;

/** kernels/descent.h descendBlock, with the same results to the bit. */
typedef struct OwqCudaDescent {
    int64_t rows, columns;
    const float* pull; /* [rows, columns] */
    int64_t pullStride;
    const float* hessian; /* the block's square */
    int64_t hessianStride;
    const float *scale, *zero; /* [rows, grids] */
    int64_t gridStride;
    const int32_t* grid; /* [columns] which of a row's grids each column uses */
    int32_t bits;
    uint8_t* codes; /* [rows, columns] in and out */
    int64_t codeStride;
    float* change; /* [rows, columns] out */
    int64_t changeStride;
} OwqCudaDescent;

/** What was asked of a stream, to be asked again as one. */
typedef struct OwqCudaRecording OwqCudaRecording;

typedef struct OwqCudaApi {
    int32_t abi; /* OWQ_CUDA_ABI */
    /** The reason of the calling thread's last failure, for a person. */
    const char* (*lastError)(void);
    int32_t (*deviceCount)(int32_t* count);
    int32_t (*deviceName)(int32_t device, char* name, size_t size, uint64_t* memoryBytes);
    /** Bytes of the current GPU's last cache. */
    int32_t (*cacheBytes)(uint64_t* bytes);
    /** Of the current GPU, bytes that can be had now. */
    int32_t (*freeMemory)(uint64_t* bytes);
    int32_t (*allocate)(size_t bytes, void** device);
    void (*release)(void* device);
    int32_t (*upload)(void* device, const void* host, size_t bytes);
    int32_t (*download)(void* host, const void* device, size_t bytes);
    /** Copies a weight to the current GPU, in the kernels' own order. OWQ_CUDA_NO_PRODUCT: it must be dequantized. */
    int32_t (*createMatrix)(const OwqCudaWeight* weight, OwqCudaMatrix** matrix);
    void (*destroyMatrix)(OwqCudaMatrix* matrix);
    /** Of the GPU's memory that a matrix takes. */
    int32_t (*matrixBytes)(const OwqCudaMatrix* matrix, uint64_t* bytes);
    int32_t (*workspaceBytes)(const OwqCudaMatrix* matrix, int64_t batch, int32_t halves, size_t* bytes);
    /** Asynchronous on `stream` (a cudaStream_t, NULL for the default one). Equal inputs give equal bits on
     * equal GPUs. A token with an input that is not finite gets outputs that are not. matvec_thread.h bounds the error. */
    int32_t (*multiply)(const OwqCudaMatrix* matrix, const OwqCudaVectors* vectors, void* stream);
    /** Rows [firstRow, firstRow + rows) as floats, [rows, columns]: scale * (code - zero), and the weak weights in their
     * columns. Asynchronous on `stream`. */
    int32_t (*dequantize)(const OwqCudaMatrix* matrix, int64_t firstRow, int64_t rows, float* outDevice, void* stream);
    int32_t (*synchronize)(void* stream);

    /* To time work without what launching its parts takes. What is asked of a stream (not the default one) between the
     * two is recorded, not done; an end follows each begin, also where something failed between, which then fails, too. */
    int32_t (*beginRecording)(void* stream);
    int32_t (*endRecording)(void* stream, OwqCudaRecording** recording);
    /** Does it all, waits, and tells how long the GPU took. */
    int32_t (*replay)(const OwqCudaRecording* recording, void* stream, double* seconds);
    void (*destroyRecording)(OwqCudaRecording* recording);

    /* Asynchronous on `stream`, with equal bits for equal inputs. */
    int32_t (*clear)(void* device, size_t bytes, void* stream);
    /** Adds the inputs' sum of x x^T to the lower triangle of sumDevice [columns, columns]. 16-bit inputs are
     * multiplied exactly; sums are fp32, no more than 2048 tokens in a chain. */
    int32_t (*addGram)(const OwqCudaInputs* inputs, float* sumDevice, void* stream);
    /** Multiplies the lower triangle by `factor` and mirrors it to the upper one. */
    int32_t (*finishGram)(float* sumDevice, int64_t columns, float factor, void* stream);
    int32_t (*findGrid)(const OwqCudaGridSearch* search, void* stream);
    int32_t (*roundToGrid)(const OwqCudaRounding* rounding, void* stream);
    int32_t (*quantizeBlock)(const OwqCudaColumnBlock* block, void* stream);
    int32_t (*addProduct)(const OwqCudaProduct* product, void* stream);
    int32_t (*descendBlock)(const OwqCudaDescent* block, void* stream);
    /** kernels/packing.h packCodes; bits 2, 3, 4 or 8. */
    int32_t (*packCodes)(const uint8_t* codesDevice, int64_t rows, int64_t columns, int32_t bits,
                         int32_t* wordsDevice, void* stream);
} OwqCudaApi;

typedef const OwqCudaApi* (*OwqCudaApiFunction)(void);

#ifdef __cplusplus
}
#endif
