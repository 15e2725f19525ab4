// SPDX-License-Identifier: Apache-2.0
// One source for each width includes it and instantiates launchGroups, so that they are compiled side by
// side.
#pragma once
#include "kernels/cuda/matvec_tiles.cuh"

namespace owq::kernels::cuda {

template <int kBits>
cudaError_t launchGroups(const MatvecWork& work, const MatvecPlan& plan, const GpuLimits& gpu, int foldPairs,
                         cudaStream_t stream) {
    switch (foldPairs) {
        case 1:
            return launchTiles<kBits, 1>(work, plan, gpu, stream);
        case 2:
            return launchTiles<kBits, 2>(work, plan, gpu, stream);
        case 4:
            return launchTiles<kBits, 4>(work, plan, gpu, stream);
        default:
            return launchTiles<kBits, 8>(work, plan, gpu, stream);
    }
}

}  // namespace owq::kernels::cuda
