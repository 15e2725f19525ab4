// SPDX-License-Identifier: Apache-2.0
#include "kernels/cuda/inputs.cuh"
#include "kernels/cuda/matvec_tiles.cuh"

namespace owq::kernels::cuda {
namespace {

template <int kBits>
cudaError_t launch(const MatvecWork& work, const MatvecPlan& plan, const DeviceWeight& weight,
                   cudaStream_t stream) {
    const int fold = weight.shape.foldPairs();
    return fold ? launchGroups<kBits>(work, plan, weight.gpu, fold, stream)
                : launchTiles<kBits, 0>(work, plan, weight.gpu, stream);
}

cudaError_t multiplyFew(const DeviceWeight& weight, const OwqCudaVectors& v, int64_t first, int tokens,
                        cudaStream_t stream) {
    const MatvecShape& shape = weight.shape;
    const MatvecPlan plan = planMatvec(shape, tokens * v.halves, weight.gpu);
    if (!plan.shared) return cudaErrorInvalidConfiguration;
    const MatvecWorkspace place =
        matvecWorkspace(shape, tokens * v.halves, tokens, plan.parts, plan.stretches);
    char* const space = static_cast<char*>(v.workspace);
    const auto halves = reinterpret_cast<uint16_t*>(space),
               weakHalves = reinterpret_cast<uint16_t*>(space + place.weak);
    const auto facts = reinterpret_cast<TokenFacts*>(space + place.tokens);
    const auto counters = reinterpret_cast<int32_t*>(space + place.counters);
    const auto pairSums = shape.groupSize ? reinterpret_cast<float*>(space + place.pairSums) : nullptr;
    const char* const x =
        static_cast<const char*>(v.x) + first * shape.columns * (v.type == OWQ_CUDA_F32 ? 4 : 2);
    const InputWork in{x,
                       v.type,
                       v.halves,
                       int32_t(shape.columns),
                       int32_t(shape.kept),
                       weight.weakColumns,
                       weight.weakInputs,
                       int32_t(weight.weakCount),
                       int32_t(shape.weakInputs),
                       halves,
                       weakHalves,
                       int32_t(place.stretch),
                       int32_t(place.weakStretch),
                       facts,
                       counters,
                       int32_t(plan.stretches),
                       pairSums};
    const cudaError_t error = prepareInputs(in, tokens, stream);
    if (error != cudaSuccess) return error;
    const MatvecWork work{weight.words,
                          weight.rows,
                          weight.weakWords,
                          halves,
                          weakHalves,
                          facts,
                          v.y + first * shape.rows,
                          reinterpret_cast<float*>(space + place.sums),
                          counters,
                          shape.rows,
                          shape.tiles(),
                          place.stretch,
                          place.weakStretch,
                          int32_t(shape.units()),
                          int32_t(plan.unitsOfPart),
                          int32_t(plan.parts),
                          int32_t(plan.stretches),
                          int32_t(shape.weakPairs()),
                          int32_t(shape.weakSteps()),
                          tokens,
                          v.halves,
                          pairSums,
                          int32_t(gridWords(shape.folds(), shape.wideGrids) * 4),
                          shape.wideGrids};
    switch (shape.bits) {
        case 2:
            return launch<2>(work, plan, weight, stream);
        case 3:
            return launch<3>(work, plan, weight, stream);
        case 4:
            return launch<4>(work, plan, weight, stream);
        default:
            return launch<8>(work, plan, weight, stream);
    }
}

}  // namespace

size_t workspaceBytes(const DeviceWeight& weight, int64_t batch, int32_t halves) {
    int64_t most = 0;
    const int64_t atOnce = inputsAtOnce(weight.shape, weight.gpu) / halves;
    for (const int64_t tokens : {batch < atOnce ? batch : atOnce, batch % atOnce}) {
        if (!tokens) continue;
        const MatvecPlan plan = planMatvec(weight.shape, int(tokens) * halves, weight.gpu);
        most = std::max(
            most, matvecWorkspace(weight.shape, tokens * halves, tokens, plan.parts, plan.stretches).total);
    }
    return size_t(most);
}

cudaError_t multiply(const DeviceWeight& weight, const OwqCudaVectors& vectors, cudaStream_t stream) {
    const int64_t atOnce = inputsAtOnce(weight.shape, weight.gpu) / vectors.halves;
    for (int64_t first = 0; first < vectors.batch; first += atOnce) {
        const cudaError_t error =
            multiplyFew(weight, vectors, first, int(std::min(atOnce, vectors.batch - first)), stream);
        if (error != cudaSuccess) return error;
    }
    return cudaSuccess;
}

}  // namespace owq::kernels::cuda
