// SPDX-License-Identifier: Apache-2.0
// Impossible work is refused before it reaches the GPU.
#include "kernels/cuda/arguments.h"

#include <gtest/gtest.h>

#include "kernels/column_loop.h"
#include "kernels/cpu/quantize_table.h"
#include "kernels/cuda/column_thread.h"

namespace owq::kernels {
namespace {

using namespace cuda;

float floats[4];
uint8_t bytes[4];
int32_t words[4];
double doubles[4];

TEST(CudaArguments, Inputs) {
    alignas(16) static uint16_t x[16];
    OwqCudaInputs inputs{x, OWQ_CUDA_F16, 2, 8};
    EXPECT_EQ(fault(inputs, floats), nullptr);
    EXPECT_NE(fault(inputs, nullptr), nullptr);
    inputs.columns = 12;
    EXPECT_NE(fault(inputs, floats), nullptr);
    inputs.type = OWQ_CUDA_F32;
    EXPECT_EQ(fault(inputs, floats), nullptr);
    inputs = {x + 1, OWQ_CUDA_BF16, 1, 8};
    EXPECT_NE(fault(inputs, floats), nullptr);
    EXPECT_NE(fault(OwqCudaInputs{x, 3, 1, 8}, floats), nullptr);
    EXPECT_NE(fault(OwqCudaInputs{x, OWQ_CUDA_F16, -1, 8}, floats), nullptr);
    EXPECT_NE(fault(OwqCudaInputs{nullptr, OWQ_CUDA_F16, 1, 8}, floats), nullptr);
    EXPECT_EQ(fault(OwqCudaInputs{nullptr, OWQ_CUDA_F16, 0, 8}, floats), nullptr);
    EXPECT_NE(gramFault(floats, int64_t(1) << 40), nullptr);
}

TEST(CudaArguments, GridSearchAndRounding) {
    const OwqCudaGridSearch good{floats, 2, 2, 2, nullptr, 3, 100, 0, 1, floats, floats, 1};
    EXPECT_EQ(fault(good), nullptr);
    const auto search = [good](auto change) {
        OwqCudaGridSearch s = good;
        change(s);
        return fault(s);
    };
    EXPECT_NE(search([](auto& s) { s.bits = 1; }), nullptr);
    EXPECT_NE(search([](auto& s) { s.bits = 9; }), nullptr);
    EXPECT_NE(search([](auto& s) { s.steps = 0; }), nullptr);
    EXPECT_EQ(search([](auto& s) { s.steps = s.search = 0; }), nullptr);
    EXPECT_NE(search([](auto& s) { s.stride = 1; }), nullptr);
    EXPECT_NE(search([](auto& s) { s.gridStride = 0; }), nullptr);
    EXPECT_NE(search([](auto& s) { s.rows = -1; }), nullptr);
    EXPECT_NE(search([](auto& s) { s.rows = int64_t(1) << 31; }), nullptr);
    EXPECT_NE(search([](auto& s) { s.w = nullptr; }), nullptr);
    EXPECT_NE(search([](auto& s) { s.zero = nullptr; }), nullptr);
    EXPECT_EQ(search([](auto& s) { s.rows = 0, s.w = nullptr, s.scale = nullptr; }), nullptr);

    OwqCudaRounding rounding{floats, 2, 2, 2, floats, floats, 3, bytes, nullptr};
    EXPECT_EQ(fault(rounding), nullptr);
    rounding.codes = nullptr;
    EXPECT_NE(fault(rounding), nullptr);
}

TEST(CudaArguments, ColumnBlocksAndProducts) {
    const OwqCudaColumnBlock good{2,      2, floats, 2, nullptr, 0, floats, 2, floats,  floats,
                                  floats, 1, words,  3, floats,  2, bytes,  2, doubles, doubles};
    EXPECT_EQ(fault(good), nullptr);
    const auto block = [good](auto change) {
        OwqCudaColumnBlock b = good;
        change(b);
        return fault(b);
    };
    EXPECT_NE(
        block([](auto& b) { b.columns = b.wStride = b.factorStride = b.errorStride = b.codeStride = 129; }),
        nullptr);
    EXPECT_NE(block([](auto& b) { b.scratch = nullptr; }), nullptr);
    EXPECT_NE(block([](auto& b) { b.loss = nullptr; }), nullptr);
    EXPECT_NE(block([](auto& b) { b.pivot = nullptr; }), nullptr);
    EXPECT_NE(block([](auto& b) { b.original = floats; }), nullptr);  // without a stride
    EXPECT_NE(block([](auto& b) { b.codeStride = 1; }), nullptr);
    EXPECT_NE(block([](auto& b) { b.bits = 0; }), nullptr);

    OwqCudaProduct product{2, 2, 2, floats, 2, floats, 2, floats, 2, 1};
    EXPECT_EQ(fault(product), nullptr);
    product.leftStride = 1;
    EXPECT_NE(fault(product), nullptr);
    product = {2, 0, 0, nullptr, 0, nullptr, 0, nullptr, 0, 1};
    EXPECT_EQ(fault(product), nullptr);
}

TEST(CudaArguments, Packing) {
    EXPECT_EQ(packingFault(bytes, 1, 32, 3, words), nullptr);
    EXPECT_NE(packingFault(bytes, 1, 33, 3, words), nullptr);
    EXPECT_NE(packingFault(bytes, 1, 32, 5, words), nullptr);
    EXPECT_NE(packingFault(bytes, 1, 32, 4, nullptr), nullptr);
    EXPECT_EQ(packingFault(nullptr, 0, 32, 4, nullptr), nullptr);
}

TEST(CudaArguments, PackedWeightsAndVectors) {
    int32_t weak[] = {1, 3};
    const OwqCudaWeight good{bytes, 2, 40, 3, 0, floats, floats, weak, floats, 2, nullptr};
    EXPECT_EQ(fault(good), nullptr);
    const auto weight = [good](auto change) {
        OwqCudaWeight w = good;
        change(w);
        return fault(w);
    };
    for (int bits : {2, 4, 8}) EXPECT_EQ(weight([bits](auto& w) { w.bits = bits; }), nullptr);
    EXPECT_NE(weight([](auto& w) { w.bits = 5; }), nullptr);
    EXPECT_EQ(weight([](auto& w) { w.groupSize = 32; }), nullptr);
    EXPECT_NE(weight([](auto& w) { w.groupSize = 16; }), nullptr);
    EXPECT_NE(weight([](auto& w) { w.groupSize = -32; }), nullptr);
    EXPECT_NE(weight([](auto& w) { w.rows = 0; }), nullptr);
    EXPECT_NE(weight([](auto& w) { w.weakCount = 41; }), nullptr);
    EXPECT_NE(weight([](auto& w) { w.zero = nullptr; }), nullptr);
    EXPECT_NE(weight([](auto& w) { w.weakWeight = nullptr; }), nullptr);
    EXPECT_NE(weight([](auto& w) { w.columns = 3; }), nullptr);  // a weak column outside
    weak[1] = 1;
    EXPECT_NE(fault(good), nullptr);

    alignas(16) static uint8_t space[16];
    const OwqCudaVectors vectors{floats, OWQ_CUDA_F32, 2, 1, floats, space, 16};
    EXPECT_EQ(fault(vectors, 16), nullptr);
    EXPECT_NE(fault(vectors, 17), nullptr);
    const auto work = [vectors](auto change) {
        OwqCudaVectors v = vectors;
        change(v);
        return fault(v, 16);
    };
    EXPECT_NE(work([](auto& v) { v.batch = 0; }), nullptr);
    EXPECT_NE(work([](auto& v) { v.batch = 65; }), nullptr);
    EXPECT_NE(work([](auto& v) { v.halves = 3; }), nullptr);
    EXPECT_NE(work([](auto& v) { v.type = OWQ_CUDA_BF16; }), nullptr);
    EXPECT_NE(work([](auto& v) { v.x = nullptr; }), nullptr);
    EXPECT_NE(work([](auto& v) { v.workspace = space + 8; }), nullptr);
    EXPECT_EQ(rowsFault(10, 3, 7, floats), nullptr);
    EXPECT_NE(rowsFault(10, 3, 8, floats), nullptr);
    EXPECT_NE(rowsFault(10, -1, 2, floats), nullptr);
    EXPECT_NE(rowsFault(10, 0, 2, nullptr), nullptr);
}

TEST(CudaArguments, TheDoorTellsTheKernelsSizes) {
    EXPECT_EQ(OWQ_CUDA_BLOCK_COLUMNS, kBlockColumns);
    EXPECT_EQ(OWQ_CUDA_BLOCK_COLUMNS, kLoopColumns);
    EXPECT_EQ(OWQ_CUDA_BLOCK_ROWS, kLoopRows);
    EXPECT_EQ(OWQ_CUDA_BLOCK_ROWS, kernels::kTileRows);  // of the CPU: equal losses need equal tiles
}

}  // namespace
}  // namespace owq::kernels
