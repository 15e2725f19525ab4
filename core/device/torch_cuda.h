// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace owq {

/// Opens LibTorch's CUDA half: libc10_cuda.so and libtorch_cuda.so, looked for in $OWQ_TORCH_CUDA, else beside libtorch_cpu.so.
/// No program is linked to it. Does nothing when it is open already. Throws Error when it is absent, does not open, or is of another
/// version than the half that computes here.
void openTorchCuda();

}  // namespace owq
