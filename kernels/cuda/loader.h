// SPDX-License-Identifier: Apache-2.0
// Opens libowq_kernels_cuda.so at run time. A machine without a GPU, a driver or the library is a first-class
// machine: it gets a reason, never a failure.
#pragma once
#include <string>

#include "kernels/cuda/api.h"

namespace owq::kernels {

struct CudaKernels {
    const OwqCudaApi* api = nullptr;  ///< null when there is no GPU to use
    std::string device;               ///< name of the first GPU
    uint64_t memoryBytes = 0;
    std::string reason;  ///< why there is none, for a person: "no NVIDIA driver is installed"
};

/// Looked for once, beside the program and in ../lib and ../lib/owq. Safe from several threads.
const CudaKernels& cudaKernels();

}  // namespace owq::kernels
