// SPDX-License-Identifier: Apache-2.0
// The packed product on a GPU against the rate at which it copies: bench_cuda_matvec [SECONDS of a
// measurement]. Needs a GPU.
//
// Weights take turns over more memory than the second-level cache holds; one replay of a CUDA graph
// multiplies each once, so launches cost what they cost within a model. Times are medians of replays and hold
// everything: rounding the inputs, the product, the weak columns.
#include <cuda_runtime.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <tuple>
#include <vector>

#include "kernels/cuda/api.h"

extern "C" const OwqCudaApi* owqCudaApi(void);

namespace {

void check(cudaError_t error) {
    if (error == cudaSuccess) return;
    std::fprintf(stderr, "bench_cuda_matvec: %s\n", cudaGetErrorString(error));
    std::exit(1);
}
void check(int32_t answer) {
    if (answer == 0) return;
    std::fprintf(stderr, "bench_cuda_matvec: %s\n", owqCudaApi()->lastError());
    std::exit(1);
}

/// Median of one replay, in seconds.
double replaySeconds(cudaGraphExec_t graph, cudaStream_t stream, double seconds) {
    cudaEvent_t begin, end;
    check(cudaEventCreate(&begin));
    check(cudaEventCreate(&end));
    std::vector<float> times;
    double sum = 0;
    for (int i = 0; sum < seconds * 1e3 || i < 13; ++i) {
        check(cudaEventRecord(begin, stream));
        check(cudaGraphLaunch(graph, stream));
        check(cudaEventRecord(end, stream));
        check(cudaEventSynchronize(end));
        float milliseconds = 0;
        check(cudaEventElapsedTime(&milliseconds, begin, end));
        if (i >= 3) times.push_back(milliseconds);  // the first ones warm up
        sum += milliseconds;
    }
    check(cudaEventDestroy(begin));
    check(cudaEventDestroy(end));
    std::nth_element(times.begin(), times.begin() + int64_t(times.size() / 2), times.end());
    return times[times.size() / 2] * 1e-3;
}

template <class Work>
double graphSeconds(cudaStream_t stream, double seconds, const Work& work) {
    cudaGraph_t graph;
    cudaGraphExec_t ready;
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal));
    work();
    check(cudaStreamEndCapture(stream, &graph));
    check(cudaGraphInstantiate(&ready, graph, 0));
    const double time = replaySeconds(ready, stream, seconds);
    check(cudaGraphExecDestroy(ready));
    check(cudaGraphDestroy(graph));
    return time;
}

/// Bytes read and written in a second.
double copyRate(cudaStream_t stream, double seconds) {
    const size_t bytes = size_t(1) << 30;
    void *from = nullptr, *to = nullptr;
    check(cudaMalloc(&from, bytes));
    check(cudaMalloc(&to, bytes));
    check(cudaMemset(from, 1, bytes));
    const double time = graphSeconds(
        stream, seconds, [&] { check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream)); });
    check(cudaFree(from));
    check(cudaFree(to));
    return 2.0 * double(bytes) / time;
}

struct Case {
    int64_t rows, columns, weak;
    int bits;
    int64_t group;  ///< columns; 0: one grid a row
};

/// Seconds of one product for each batch, and bytes of a matrix.
std::vector<double> productSeconds(const Case& c, const std::vector<int64_t>& batches, int halves,
                                   size_t workingSet, cudaStream_t stream, double seconds, uint64_t* bytes) {
    const OwqCudaApi& api = *owqCudaApi();
    std::vector<uint8_t> codes(size_t(c.rows * c.columns));
    std::mt19937_64 random(1);
    const uint64_t mask = ((1ull << c.bits) - 1) * 0x0101010101010101ull;
    for (size_t i = 0; i + 8 <= codes.size(); i += 8) {
        const uint64_t eight = random() & mask;
        for (size_t j = 0; j < 8; ++j) codes[i + j] = uint8_t(eight >> (8 * j));
    }
    const size_t grids = size_t(c.rows * (c.group ? (c.columns + c.group - 1) / c.group : 1));
    const std::vector<float> scale(grids, 0.0078125f), zero(grids, 3),  // halves, as in GPTQ files
        weakWeight(size_t(c.rows * c.weak), 0.5f);
    std::vector<int32_t> weakColumns;
    for (int64_t j = 0; j < c.weak; ++j) weakColumns.push_back(int32_t(j * (c.columns / c.weak)));
    const OwqCudaWeight weight{codes.data(),      c.rows,       c.columns,   c.bits,
                               c.group,           scale.data(), zero.data(), weakColumns.data(),
                               weakWeight.data(), c.weak,       nullptr};
    std::vector<OwqCudaMatrix*> matrices;
    for (size_t held = 0; held < workingSet || matrices.size() < 2; held += *bytes) {
        matrices.push_back(nullptr);
        check(api.createMatrix(&weight, &matrices.back()));
        check(api.matrixBytes(matrices.back(), bytes));
    }
    std::vector<double> times;
    for (const int64_t batch : batches) {
        std::vector<float> x(size_t(batch * c.columns));
        for (float& v : x) v = float(int64_t(random() % 2001) - 1000) * 1e-3f;
        float *there = nullptr, *y = nullptr;
        void* workspace = nullptr;
        size_t workspaceBytes = 0;
        check(api.workspaceBytes(matrices[0], batch, halves, &workspaceBytes));
        check(cudaMalloc(&there, x.size() * 4));
        check(cudaMalloc(&y, size_t(batch * c.rows) * 4));
        check(cudaMalloc(&workspace, workspaceBytes));
        check(cudaMemcpy(there, x.data(), x.size() * 4, cudaMemcpyHostToDevice));
        const OwqCudaVectors vectors{there, OWQ_CUDA_F32, halves, batch, y, workspace, workspaceBytes};
        times.push_back(graphSeconds(stream, seconds,
                                     [&] {
                                         for (const OwqCudaMatrix* matrix : matrices)
                                             check(api.multiply(matrix, &vectors, stream));
                                     }) /
                        double(matrices.size()));
        check(cudaFree(there));
        check(cudaFree(y));
        check(cudaFree(workspace));
    }
    for (OwqCudaMatrix* matrix : matrices) api.destroyMatrix(matrix);
    return times;
}

}  // namespace

int main(int argc, char** argv) {
    const double seconds = argc > 1 ? std::atof(argv[1]) : 0.2;
    cudaDeviceProp gpu{};
    check(cudaGetDeviceProperties(&gpu, 0));
    cudaStream_t stream;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    const double rate = copyRate(stream, seconds);
    const size_t workingSet = std::max<size_t>(size_t(256) << 20, 4 * size_t(gpu.l2CacheSize));
    std::printf("%s, %d processors, copies %.0f GB/s (read and written)\n", gpu.name, gpu.multiProcessorCount,
                rate * 1e-9);
    std::printf("%8s %8s %5s %5s %5s %7s %6s %9s %7s %6s %9s %9s\n", "rows", "columns", "bits", "group",
                "weak", "halves", "batch", "us", "GB/s", "share", "of batch1", "for weak");
    const std::vector<int64_t> batches{1, 4, 8, 16};
    for (const auto& shape : {std::pair<int64_t, int64_t>{36864, 9216}, {22016, 4096}, {4096, 4096}})
        for (const auto& [bits, group, halves] :
             {std::tuple{3, 0, 1}, {3, 0, 2}, {4, 0, 1}, {4, 0, 2}, {3, 128, 2}, {4, 32, 2}, {4, 128, 2}}) {
            uint64_t bytes = 0;
            const Case none{shape.first, shape.second, 0, bits, group},
                weak{shape.first, shape.second, shape.second == 4096 ? 6 : 14, bits, group};
            const std::vector<double> without =
                productSeconds(none, batches, halves, workingSet, stream, seconds, &bytes);
            const std::vector<double> with =
                productSeconds(weak, batches, halves, workingSet, stream, seconds, &bytes);
            for (size_t b = 0; b < batches.size(); ++b)
                std::printf("%8lld %8lld %5d %5d %5lld %7d %6lld %9.2f %7.0f %5.1f%% %8.2fx %+8.2f%%\n",
                            static_cast<long long>(weak.rows), static_cast<long long>(weak.columns), bits,
                            group, static_cast<long long>(weak.weak), halves,
                            static_cast<long long>(batches[b]), with[b] * 1e6, double(bytes) / with[b] * 1e-9,
                            100 * double(bytes) / with[b] / rate, with[b] / with[0],
                            100 * (with[b] / without[b] - 1));
        }
    return 0;
}
