// SPDX-License-Identifier: Apache-2.0
#include "core/device/open_device.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>

#include "core/base/error.h"
#include "core/device/device.h"
#include "core/device/torch_cuda.h"
#include "kernels/cuda/loader.h"
#include "tests/core/device/emulated_cuda.h"

namespace owq {
namespace {

using ::testing::HasSubstr;

std::string failureOf(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& e) {
        EXPECT_FALSE(e.remedy().empty()) << e.what();
        return e.what();
    }
    return "nothing failed";
}

TEST(OpenDevice, NamesAndTheCpu) {
    for (DeviceKind kind : {DeviceKind::cpu, DeviceKind::cuda}) EXPECT_EQ(deviceKindFromName(deviceKindName(kind)), kind);
    EXPECT_THROW(deviceKindFromName("tpu"), Error);
    EXPECT_EQ(openDevice(DeviceKind::cpu), nullptr);
    EXPECT_TRUE(hostDevice().isHost());
}

TEST(OpenDevice, WithoutAGpuSaysWhatIsMissingAndWhatToDo) {
    if (kernels::cudaKernels().api) GTEST_SKIP() << "there is a GPU";
    const std::string said = failureOf([] { openDevice(DeviceKind::cuda); });
    EXPECT_THAT(said, HasSubstr(kernels::cudaKernels().reason));
    EXPECT_THAT(said, HasSubstr("--device cpu"));
}

class TorchFolder : public ::testing::Test {
protected:
    void SetUp() override {
        folder = std::filesystem::path(::testing::TempDir()) / ("torch-" + std::to_string(::getpid())) / "lib";
        std::filesystem::create_directories(folder);
        setenv("OWQ_TORCH_CUDA", folder.c_str(), 1);
    }
    void TearDown() override {
        unsetenv("OWQ_TORCH_CUDA");
        std::filesystem::remove_all(folder.parent_path());
    }
    void write(const std::filesystem::path& file, const std::string& text) { std::ofstream(file) << text; }
    std::filesystem::path folder;
};

TEST_F(TorchFolder, WithoutTheCudaHalf) {
    const std::string said = failureOf(openTorchCuda);
    EXPECT_THAT(said, HasSubstr(folder.string()));
    EXPECT_THAT(said, HasSubstr("libc10_cuda.so"));
    EXPECT_THAT(said, HasSubstr("setup.sh --cuda"));
}

TEST_F(TorchFolder, OfAnotherVersion) {
    write(folder.parent_path() / "version.py", "from typing import Optional\n__version__ = '2.9.1+cu128'\n");
    EXPECT_THAT(failureOf(openTorchCuda), HasSubstr("PyTorch 2.9.1+cu128"));
}

TEST_F(TorchFolder, ThatIsDamaged) {
    write(folder / "libc10_cuda.so", "no library");
    EXPECT_THAT(failureOf(openTorchCuda), HasSubstr("could not be opened"));
}

TEST(EmulatedDevice, FailuresOfTheGpuAreErrors) {
    const auto device = testing::emulatedDevice();
    testing::emulated::failAfter = 0;
    const at::Tensor x = at::zeros({4, 4});
    EXPECT_THAT(failureOf([&] { device->gramSum(4)->add(x); }), HasSubstr("an emulated failure"));
    EXPECT_EQ(testing::emulated::failAfter, -1);
}

TEST(EmulatedDevice, TimesWhatItRecordedAndElseWhatItDoes) {
    const auto device = testing::emulatedDevice();
    const std::stop_token none;
    int calls = 0;
    testing::emulated::replays = 0;
    DeviceTime time = device->timeOf([&] { ++calls; }, 10 * testing::emulated::kReplaySeconds, none);
    EXPECT_EQ(time.seconds, testing::emulated::kReplaySeconds);
    EXPECT_TRUE(time.recorded);
    EXPECT_EQ(calls, 2) << "once to warm up, once to be recorded";
    EXPECT_EQ(testing::emulated::replays, 10);

    testing::emulated::cannotRecord = true;
    calls = 0;
    time = device->timeOf([&] { ++calls; }, 0, none);
    testing::emulated::cannotRecord = false;
    EXPECT_FALSE(time.recorded);
    EXPECT_LT(time.seconds, testing::emulated::kReplaySeconds);
    EXPECT_EQ(calls, 2 + 5);

    // A failure while recording: asked for anew. One that stays is an error.
    calls = 0;
    time = device->timeOf([&] { if (++calls == 2) throw std::runtime_error("not while recording"); }, 0, none);
    EXPECT_FALSE(time.recorded);
    EXPECT_THROW(device->timeOf([&] { throw std::runtime_error("never"); }, 0, none), std::runtime_error);
    EXPECT_EQ(testing::emulated::recordings, 0) << "none is kept";
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(device->timeOf([] {}, 0, stop.get_token()), Cancelled);
    EXPECT_FALSE(hostDevice().timeOf([] {}, 0, none).recorded);
}

TEST(EmulatedDevice, MultipliesPackedWeightsAndRefusesOtherGrids) {
    const auto device = testing::emulatedDevice();
    const std::vector<uint8_t> codes{1, 2, 3, 0, 3, 1};
    const std::vector<float> scale{0.5f, 2, 1, 1}, zero{1, 2, 0, 0}, weakWeight{10, 20};
    const int32_t weak = 2;
    kernels::PackedWeight weight{.codes = codes.data(), .rows = 2, .columns = 3, .bits = 3, .scale = scale.data(), .zero = zero.data(),
                                 .weakColumns = &weak, .weakWeight = weakWeight.data(), .weakCount = 1};
    const auto product = device->packedProduct(weight);
    ASSERT_NE(product, nullptr);
    EXPECT_TRUE(product->takes(64, kernels::Activations::exact));
    EXPECT_FALSE(product->takes(65, kernels::Activations::int8));
    const at::Tensor x = at::ones({2, 3}), out = at::zeros({2, 2});
    product->multiply(x, kernels::Activations::exact, out);
    EXPECT_EQ(out[1][0].item<float>(), 0.5f * (0 + 1) + 10);
    EXPECT_EQ(out[1][1].item<float>(), 2.0f * (-2 + 1) + 20);
    testing::emulated::failAfter = 1;
    EXPECT_THAT(failureOf([&] { product->multiply(x, kernels::Activations::exact, out); }), HasSubstr("packed product"));
    weight.groupSize = 2;
    EXPECT_EQ(device->packedProduct(weight), nullptr);
    weight.groupSize = 32;
    EXPECT_NE(device->packedProduct(weight), nullptr);
    const std::vector<uint8_t> more(64, 3);
    const std::vector<float> scales{1, 2}, zeros{1, 0};
    const auto grouped = device->packedProduct({.codes = more.data(), .rows = 1, .columns = 64, .bits = 3, .groupSize = 32,
                                                .scale = scales.data(), .zero = zeros.data()});
    const at::Tensor one = at::zeros({1, 1}), dense = at::zeros({1, 64});
    grouped->multiply(at::ones({1, 64}), kernels::Activations::exact, one);
    EXPECT_EQ(one.item<float>(), 32 * (3 - 1) + 32 * 2 * 3);
    grouped->dequantizeRows(0, dense);
    EXPECT_EQ(dense[0][31].item<float>(), 2);
    EXPECT_EQ(dense[0][32].item<float>(), 6);
    testing::emulated::hasNoProduct = true;
    EXPECT_EQ(device->packedProduct(weight), nullptr) << "the GPU is too small for it";
    testing::emulated::hasNoProduct = false;
    weight = {};
    EXPECT_THROW(device->packedProduct(weight), Error);
}

}  // namespace
}  // namespace owq
