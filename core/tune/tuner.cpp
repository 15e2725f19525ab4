// SPDX-License-Identifier: Apache-2.0
#include "core/tune/tuner.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/base/error.h"
#include "core/checkpoint/tensor_file.h"

namespace owq {
namespace {

int64_t inWhole(int64_t count, int64_t size) { return (count + size - 1) / size; }

std::string exactText(double value) {
    char text[64];
    return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

template <class T>
T number(const Metadata& metadata, std::string_view key, const std::string& where) {
    for (const auto& [name, value] : metadata) {
        if (name != key) continue;
        T read{};
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), read);
        if (error == std::errc{} && end == value.data() + value.size()) return read;
    }
    throw Error("has no number \"" + std::string(key) + "\": it is no state of a tuning", where, "Tune again with --force");
}

/// Steps are counted in order, and there is what they leave behind.
void check(const TunerState& s, int64_t steps, const std::string& where) {
    const auto demand = [&](bool holds, const std::string& what) {
        if (!holds) throw Error(what + ": it is no state of this tuning", where, "Tune again with --force");
    };
    const int64_t done = s.adam.steps;
    demand(done >= 0 && done <= steps, "has done " + std::to_string(done) + " of " + std::to_string(steps) + " steps");
    demand(s.evaluated >= -1 && s.evaluated <= done, "was validated after step " + std::to_string(s.evaluated) + " of " + std::to_string(done));
    demand(s.bestStep >= -1 && s.bestStep <= s.evaluated, "was best after step " + std::to_string(s.bestStep) + ", validated last after " + std::to_string(s.evaluated));
    demand(s.worse >= 0 && s.worse <= s.evaluated + 1, "has " + std::to_string(s.worse) + " validations since the best");
    demand(s.bestStep < 0 ? s.best == std::numeric_limits<double>::infinity() : std::isfinite(s.best), "has a best loss that is not finite");
    demand(s.bestWeights.empty() == (s.bestStep < 0), "has no best weights, or has them without a best step");
    demand(s.adam.first.empty() == (done == 0) && s.adam.second.empty() == (done == 0), "has no moments of the steps done, or has them before the first");
    for (const std::vector<float>* values : {&s.adam.weights, &s.adam.first, &s.adam.second, &s.bestWeights, &s.inputSizes})
        demand(std::all_of(values->begin(), values->end(), [](float value) { return std::isfinite(value); }), "holds a value that is not finite");
    for (const std::vector<float>* values : {&s.adam.second, &s.inputSizes})
        demand(std::all_of(values->begin(), values->end(), [](float value) { return value >= 0; }), "holds a square or a size below 0");
}

constexpr const char* kVectors[] = {"weights", "first_moment", "second_moment", "best_weights", "input_sizes"};
constexpr int64_t kMeasured = 8;       ///< examples at least, of which inputs are measured
constexpr double kLeastInput = 1e-3;  ///< a column that is hardly ever multiplied by anything learns no faster

}  // namespace

void writeTunerState(const std::filesystem::path& file, const TunerState& s) {
    const std::vector<float>* const held[] = {&s.adam.weights, &s.adam.first, &s.adam.second, &s.bestWeights, &s.inputSizes};
    NamedTensors tensors;
    for (size_t i = 0; i < std::size(held); ++i)
        tensors.emplace_back(kVectors[i], Tensor{DType::f32, {int64_t(held[i]->size())}, reinterpret_cast<const std::byte*>(held[i]->data()), {}});
    writeSafetensors(file, tensors,
                     {{"steps", std::to_string(s.adam.steps)}, {"evaluated", std::to_string(s.evaluated)}, {"best", exactText(s.best)},
                      {"best_step", std::to_string(s.bestStep)}, {"worse", std::to_string(s.worse)}});
}

TunerState readTunerState(const std::filesystem::path& path, int64_t parameters, int64_t columns, int64_t steps) {
    const auto file = openSafetensors(path);
    const std::string where = path.string();
    const Metadata& metadata = file->metadata();
    TunerState s;
    s.adam.steps = number<int64_t>(metadata, "steps", where);
    s.evaluated = number<int64_t>(metadata, "evaluated", where);
    s.best = number<double>(metadata, "best", where);
    s.bestStep = number<int64_t>(metadata, "best_step", where);
    s.worse = number<int64_t>(metadata, "worse", where);
    std::vector<float>* const held[] = {&s.adam.weights, &s.adam.first, &s.adam.second, &s.bestWeights, &s.inputSizes};
    for (size_t i = 0; i < std::size(held); ++i) {
        const Tensor tensor = file->read(kVectors[i]);
        const bool absent = tensor.count() == 0 && i > 0;  // before the first step, without a validation, with one rate for all
        const bool perColumn = held[i] == &s.inputSizes;
        if (tensor.dtype != DType::f32 || (!absent && tensor.shape != std::vector{perColumn ? columns : parameters}))
            throw Error("tensor " + std::string(kVectors[i]) + " is " + shapeText(tensor.shape) + ", the model has " +
                            std::to_string(perColumn ? columns : parameters) + (perColumn ? " weak columns" : " weak weights"),
                        where, "Tune again with --force");
        *held[i] = tensor.toFloat();
    }
    check(s, steps, where);
    return s;
}

Tuner::Tuner(TunedModel& model, const TuningData& data, const TuningData& validation, const TuningSettings& settings)
    : model_(model), data_(data), validation_(validation), settings_(settings) {
    perEpoch_ = inWhole(int64_t(data.examples.size()), settings.batchSize * settings.accumulate);
    steps_ = settings.epochs * perEpoch_;
    if (settings.maxSteps > 0) steps_ = std::min(steps_, settings.maxSteps);
    warmUp_ = std::llround(std::ceil(settings.warmUp * double(steps_)));
    evaluateEvery_ = settings.evaluateEvery > 0 ? settings.evaluateEvery : inWhole(perEpoch_, 2);
    state_.adam.weights = model.original();
}

void Tuner::restore(TunerState state) {
    state_ = std::move(state);
    model_.setWeights(state_.adam.weights);
    scaleRates();
}

void Tuner::measureInputs(const std::stop_token& stop) {
    const int64_t all = int64_t(data_.examples.size()), used = std::min(all, std::max(kMeasured, settings_.batchSize * settings_.accumulate));
    std::vector<TuningBatch> batches;
    for (const int64_t i : epochOrder(all, settings_.seed, 0)) {
        if (int64_t(batches.size()) == used) break;
        batches.push_back(makeBatch(data_.examples, {i}));
    }
    state_.inputSizes = model_.inputSizes(batches, stop);
    scaleRates();
}

void Tuner::scaleRates() {
    scale_.clear();
    auto size = state_.inputSizes.begin();
    if (size == state_.inputSizes.end()) return;
    scale_.reserve(size_t(model_.parameters()));
    for (const WeakMatrix& m : model_.matrices()) {
        const auto end = size + ptrdiff_t(m.columns.size());
        std::vector<float> columns;
        for (; size != end; ++size) columns.push_back(float(std::pow(std::max(double(*size), kLeastInput), -settings_.rateExponent)));
        for (int64_t r = 0; r < m.rows; ++r) scale_.insert(scale_.end(), columns.begin(), columns.end());
    }
}

bool Tuner::evaluationDue() const {
    const int64_t done = state_.adam.steps;
    return !validation_.examples.empty() && state_.evaluated < done && (done % evaluateEvery_ == 0 || done == steps_);
}

double Tuner::evaluate(const std::stop_token& stop) {
    TuningLoss sum;
    for (int64_t i = 0; i < int64_t(validation_.examples.size()); ++i) {
        const TuningLoss one = model_.loss(makeBatch(validation_.examples, {i}), stop);
        sum.nll += one.nll;
        sum.tokens += one.tokens;
    }
    state_.evaluated = state_.adam.steps;
    if (sum.mean() < state_.best) {
        state_.best = sum.mean();
        state_.bestStep = state_.adam.steps;
        state_.bestWeights = model_.weights();
        state_.worse = 0;
    } else {
        ++state_.worse;
    }
    return sum.mean();
}

std::string Tuner::finished() const {
    if (evaluationDue()) return {};
    if (state_.adam.steps >= steps_) return "all steps done";
    if (settings_.patience > 0 && state_.worse >= settings_.patience) return "validation no longer improves";
    return {};
}

TuningStep Tuner::step(const std::stop_token& stop) {
    if (settings_.rateExponent != 0 && state_.inputSizes.empty()) measureInputs(stop);
    const int64_t done = state_.adam.steps, all = int64_t(data_.examples.size()), perStep = settings_.batchSize * settings_.accumulate;
    const std::vector<int64_t> order = epochOrder(all, settings_.seed, done / perEpoch_);
    const int64_t first = done % perEpoch_ * perStep, last = std::min(all, first + perStep);
    std::vector<TuningBatch> batches;
    for (int64_t i = first; i < last; i += settings_.batchSize)
        batches.push_back(makeBatch(data_.examples, {order.begin() + ptrdiff_t(i), order.begin() + ptrdiff_t(std::min(last, i + settings_.batchSize))}));
    TuningStep report{done + 1, {}, scheduledRate(settings_.learningRate, done, warmUp_, steps_)};
    for (const TuningBatch& batch : batches) report.loss.tokens += int64_t(batch.targets.size());
    std::vector<float> gradient(size_t(model_.parameters()));
    for (const TuningBatch& batch : batches) report.loss.nll += model_.lossAndGradient(batch, 1 / double(report.loss.tokens), gradient, stop).nll;
    report.gradientNorm = clipNorm(gradient, settings_.clip);
    adamStep(state_.adam, gradient, report.learningRate, {.weightDecay = settings_.weightDecay, .scale = scale_});
    model_.setWeights(state_.adam.weights);
    return report;
}

void Tuner::settle() { model_.setWeights(state_.bestWeights.empty() ? state_.adam.weights : state_.bestWeights); }

}  // namespace owq
