// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>

namespace owq {

struct TuningSettings {
    int64_t epochs = 3;
    double learningRate = 1e-3;  ///< at its highest, of a column whose input has a root mean square of 1
    double rateExponent = 0.5;   ///< a column's rate: times the root mean square of its input to the power of minus this; 0: one for all
    int64_t batchSize = 1;       ///< examples computed together
    int64_t accumulate = 8;      ///< batches for one step of the optimizer
    double warmUp = 0.05;        ///< share of the steps in which the learning rate rises
    double weightDecay = 0;
    double clip = 1;             ///< norm of the gradient at most; 0: any
    double validationShare = 0.05;
    int64_t evaluateEvery = 0;   ///< steps between two validations; 0: half an epoch
    int64_t patience = 4;        ///< validations in a row that may be worse than the best; 0: any number
    int64_t maxSteps = 0;        ///< 0: as many as the epochs have
    uint64_t seed = 0;           ///< of the validation split and the order
    bool halfInputs = false;     ///< the inputs of blocks wait for the backward pass in bfloat16
};

}  // namespace owq
