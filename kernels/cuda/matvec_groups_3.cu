// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/matvec_groups.cuh"

namespace owq::kernels::cuda {

template cudaError_t launchGroups<3>(const MatvecWork&, const MatvecPlan&, const GpuLimits&, int,
                                     cudaStream_t);

}  // namespace owq::kernels::cuda
