// SPDX-License-Identifier: Apache-2.0
// The tile arithmetic of the GPU's dense products, its threads in turn on the host.
#include <gtest/gtest.h>

#include <random>
#include <vector>

#include "kernels/cuda/product_thread.h"

namespace owq::kernels {
namespace {

using namespace cuda;

TEST(CudaProductThread, ThreadsShareATileWithoutGapsOrOverlaps) {
    std::vector<int> used(kProductTile * kProductTile);
    for (int down = 0; down < 16; ++down)
        for (int across = 0; across < 16; ++across)
            for (int i = 0; i < 8; ++i)
                for (int j = 0; j < 8; ++j)
                    ++used.at(size_t(productPlace(down, i) * kProductTile + productPlace(across, j)));
    for (int n : used) EXPECT_EQ(n, 1);
    // Both reads of four lie at a multiple of 16 bytes.
    for (int at = 0; at < 16; ++at) EXPECT_EQ(productPlace(at, 0) % 4 + productPlace(at, 4) % 4, 0);
}

TEST(CudaProductThread, ATileIsTheProduct) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> a(kProductDepth * kProductTile), b(a.size());
    for (float& v : a) v = normal(random);
    for (float& v : b) v = normal(random);
    for (int thread = 0; thread < kProductThreads; ++thread) {
        const int down = thread / 16, across = thread % 16;
        float sum[8][8] = {};
        for (int k = 0; k < kProductDepth; ++k) {
            float left[8], right[8];
            for (int i = 0; i < 8; ++i) {
                left[i] = a[size_t(k * kProductTile + productPlace(down, i))];
                right[i] = b[size_t(k * kProductTile + productPlace(across, i))];
            }
            addOuterProduct(left, right, sum);
        }
        for (int i = 0; i < 8; ++i)
            for (int j = 0; j < 8; ++j) {
                double expected = 0;
                for (int k = 0; k < kProductDepth; ++k)
                    expected += double(a[size_t(k * kProductTile + productPlace(down, i))]) *
                                double(b[size_t(k * kProductTile + productPlace(across, j))]);
                EXPECT_NEAR(sum[i][j], expected, 1e-5);
            }
    }
}

}  // namespace
}  // namespace owq::kernels
