// SPDX-License-Identifier: Apache-2.0
// The column loop, the update that follows it, and packing on the GPU against the CPU kernels.
#include "kernels/column_loop.h"

#include "kernels/packing.h"
#include "tests/device/device_test.h"
#include "tests/kernels/quantize_case.h"

namespace owq::kernels {
namespace {

class DeviceColumnLoop : public DeviceTest {
protected:
    /// Errors and codes go into wider matrices, from the given columns on.
    LoopCase::Result onGpu(const LoopCase& p, int64_t errorStride, int64_t errorFrom, int64_t codeStride,
                           int64_t codeFrom) {
        auto w = onDevice(p.w), original = onDevice(p.original), factor = onDevice(p.factor),
             pivot = onDevice(p.pivot), scale = onDevice(p.scale), zero = onDevice(p.zero);
        auto grid = onDevice(p.grid);
        auto error = room<float>(p.rows * errorStride);
        auto codes = room<uint8_t>(p.rows * codeStride);
        auto loss = room<double>(p.columns);
        auto scratch = room<double>((p.rows + OWQ_CUDA_BLOCK_ROWS - 1) / OWQ_CUDA_BLOCK_ROWS * p.columns);
        run(api->clear(error.data(), error.size() * 4, nullptr));
        run(api->clear(codes.data(), codes.size(), nullptr));
        const OwqCudaColumnBlock block{.rows = p.rows,
                                       .columns = p.columns,
                                       .w = w.data(),
                                       .wStride = p.wStride(),
                                       .original = original.data(),
                                       .originalStride = p.columns,
                                       .factor = factor.data(),
                                       .factorStride = p.wStride(),
                                       .pivot = pivot.data(),
                                       .scale = scale.data(),
                                       .zero = zero.data(),
                                       .gridStride = p.grids,
                                       .grid = grid.data(),
                                       .bits = p.bits,
                                       .error = error.data() + errorFrom,
                                       .errorStride = errorStride,
                                       .codes = codes.data() + codeFrom,
                                       .codeStride = codeStride,
                                       .loss = loss.data(),
                                       .scratch = scratch.data()};
        run(api->quantizeBlock(&block, nullptr));
        return {w.download(), error.download(), codes.download(), loss.download()};
    }
    LoopCase::Result onGpu(const LoopCase& p) { return onGpu(p, p.columns, 0, p.columns, 0); }
};

TEST_F(DeviceColumnLoop, EqualsTheCpuKernelToTheBit) {
    expectLoopEqualsCpu([this](const LoopCase& p) { return onGpu(p); });
}

TEST_F(DeviceColumnLoop, CodesAndErrorsGoToTheirPlaceInWiderMatrices) {
    const LoopCase p(20, 30, 3, 0, 5);
    const LoopCase::Result gpu = onGpu(p, 40, 10, 50, 4);
    const LoopCase::Result cpu = p.onCpu();
    const std::vector<float>& errors = gpu.error;
    const std::vector<uint8_t>& found = gpu.codes;
    for (int64_t r = 0; r < p.rows; ++r) {
        for (int64_t c = 0; c < 50; ++c)
            EXPECT_EQ(found[size_t(r * 50 + c)], c < 4 || c >= 34 ? 0 : cpu.codes[size_t(r * 30 + c - 4)]);
        for (int64_t c = 0; c < 40; ++c)
            EXPECT_EQ(errors[size_t(r * 40 + c)], c < 10 ? 0 : cpu.error[size_t(r * 30 + c - 10)]);
    }
}

TEST_F(DeviceColumnLoop, ProductsAreAdded) {
    std::mt19937 random(3);
    std::normal_distribution<float> normal;
    for (auto [rows, depth, columns] :
         {std::tuple{1, 1, 1}, {130, 128, 300}, {257, 100, 129}, {64, 7, 1000}, {20, 4100, 40}}) {
        const int64_t stride = columns + 5;
        std::vector<float> w(size_t(rows * stride)), error(size_t(rows * depth)),
            factor(size_t(depth * stride));
        for (auto* values : {&w, &error, &factor})
            for (float& v : *values) v = normal(random);
        auto gpuW = onDevice(w), gpuError = onDevice(error), gpuFactor = onDevice(factor);
        const OwqCudaProduct product{
            rows,   depth, columns, gpuW.data(), stride, gpuError.data(), depth, gpuFactor.data(),
            stride, -0.5f};
        run(api->addProduct(&product, nullptr));
        const std::vector<float> found = gpuW.download();
        for (int64_t r = 0; r < rows; ++r)
            for (int64_t c = 0; c < stride; ++c) {
                double expected = w[size_t(r * stride + c)], size = std::abs(expected);
                for (int64_t k = 0; c < columns && k < depth; ++k) {
                    const double product =
                        double(error[size_t(r * depth + k)]) * double(factor[size_t(k * stride + c)]);
                    expected -= 0.5 * product;
                    size += std::abs(product);
                }
                ASSERT_NEAR(found[size_t(r * stride + c)], expected, 1e-6 * size)
                    << rows << ", " << r << ", " << c;
            }
    }
}

TEST_F(DeviceColumnLoop, PacksAsTheCpuDoes) {
    std::mt19937 random(7);
    for (int bits : {2, 3, 4, 8})
        for (auto [rows, columns] : {std::pair{1, 32}, {17, 96}, {300, 352}}) {
            std::vector<uint8_t> codes(size_t(rows) * size_t(columns));
            for (uint8_t& c : codes) c = uint8_t(random() & ((1u << bits) - 1));
            std::vector<int32_t> words(size_t(columns / 32 * bits * rows));
            packCodes(codes.data(), rows, columns, bits, words.data());
            auto in = onDevice(codes);
            auto out = room<int32_t>(int64_t(words.size()));
            run(api->packCodes(in.data(), rows, columns, bits, out.data(), nullptr));
            EXPECT_EQ(out.download(), words) << bits << " bits, " << rows << " x " << columns;
        }
}

TEST_F(DeviceColumnLoop, ImpossibleWorkIsRefused) {
    const OwqCudaColumnBlock block{.rows = 1, .columns = 200};
    EXPECT_NE(api->quantizeBlock(&block, nullptr), 0);
    EXPECT_STRNE(api->lastError(), "");
    EXPECT_NE(api->packCodes(nullptr, 1, 32, 5, nullptr, nullptr), 0);
}

}  // namespace
}  // namespace owq::kernels
