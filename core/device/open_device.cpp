// SPDX-License-Identifier: Apache-2.0
#include "core/device/open_device.h"

#include <ATen/ops/zeros.h>

#include "core/base/error.h"
#include "core/device/cuda_device.h"
#include "core/device/torch_cuda.h"
#include "kernels/cuda/loader.h"

namespace owq {

std::shared_ptr<const Device> openDevice(DeviceKind kind) {
    if (kind == DeviceKind::cpu) return nullptr;
    const kernels::CudaKernels& found = kernels::cudaKernels();
    if (!found.api)
        throw Error("no GPU can be used: " + found.reason, {},
                    "--device cuda needs an NVIDIA GPU, its driver, and an installation with CUDA kernels; or use --device cpu");
    openTorchCuda();
    const at::Device place(at::kCUDA, 0);
    try {
        at::zeros({1}, at::TensorOptions(at::kFloat).device(place)).item<float>();
    } catch (const c10::Error& e) {
        throw Error(std::string("LibTorch cannot use the GPU: ") + e.what_without_backtrace(), found.device,
                    "See that its driver is recent enough for CUDA 13; or use --device cpu");
    }
    return std::make_shared<CudaDevice>(*found.api, place, found.device);
}

}  // namespace owq
