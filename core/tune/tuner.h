// SPDX-License-Identifier: Apache-2.0
// Private to core sources. The steps of a tuning: batches in a seeded order, AdamW, validation, early stop. What has happened lies in a
// state that can be written and read back: the steps that follow are then the same to the last bit.
#pragma once
#include <cstdint>
#include <filesystem>
#include <limits>
#include <stop_token>
#include <string>
#include <vector>

#include "core/tune/adam.h"
#include "core/tune/tuned_model.h"
#include "core/tune/tuning_data.h"
#include "core/tune/tuning_settings.h"

namespace owq {

struct TunerState {
    AdamState adam;              ///< its steps are those done
    int64_t evaluated = -1;      ///< step after which the last validation was measured
    double best = std::numeric_limits<double>::infinity();  ///< validation loss
    int64_t bestStep = -1;
    int64_t worse = 0;           ///< validations since
    std::vector<float> bestWeights;  ///< as the model computes with them
    std::vector<float> inputSizes;   ///< TunedModel::inputSizes before the first step; empty: not measured
};

/// Written whole, synced, renamed.
void writeTunerState(const std::filesystem::path& file, const TunerState& state);
/// Of a tuning of so many steps in all. Error when it is damaged or has another number of parameters or of weak columns.
TunerState readTunerState(const std::filesystem::path& file, int64_t parameters, int64_t columns, int64_t steps);

struct TuningStep {
    int64_t step = 0;  ///< from 1
    TuningLoss loss;   ///< before the step, over its examples
    double learningRate = 0, gradientNorm = 0;  ///< the rate of a column whose input is of size 1
};

class Tuner {
public:
    /// validation may be empty. Both outlive the tuner.
    Tuner(TunedModel& model, const TuningData& data, const TuningData& validation, const TuningSettings& settings);

    const TunerState& state() const { return state_; }
    /// Goes on from there.
    void restore(TunerState state);

    int64_t steps() const { return steps_; }
    int64_t stepsPerEpoch() const { return perEpoch_; }
    /// Validation is due before the next step: at the beginning, at every `evaluateEvery` steps, at the end.
    bool evaluationDue() const;
    /// Mean loss of a validation token, and keeps the weights when it is the best so far. Cancelled changes nothing.
    double evaluate(const std::stop_token& stop);
    /// "", or why there is nothing more to do: "all steps done", "validation no longer improves".
    std::string finished() const;
    /// One step of the optimizer. Cancelled changes nothing.
    TuningStep step(const std::stop_token& stop);
    /// Puts the weights in force that the tuning is to end with: the best by validation, or the last.
    void settle();

private:
    void measureInputs(const std::stop_token& stop);
    void scaleRates();

    TunedModel& model_;
    const TuningData &data_, &validation_;
    TuningSettings settings_;
    int64_t perEpoch_, steps_, warmUp_, evaluateEvery_;
    TunerState state_;
    std::vector<float> scale_;  ///< of the learning rate of each weight
};

}  // namespace owq
