// SPDX-License-Identifier: Apache-2.0
// LoRA (Hu et al. 2022) over the dequantized weights of a run, for comparison with owq tune: the same data, order, batches, optimizer, schedule
// and early stop. usage: bench_lora RUN DATA TEST RANK LEARNING_RATE EPOCHS ACCUMULATE SEED. A trained adapter is not kept.
#include <ATen/core/Tensor.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm.h>

#include <cmath>
#include <cstdlib>
#include <iostream>
#include <random>

#include "core/base/error.h"
#include "core/model/forwarding_source.h"
#include "core/text/corpus.h"
#include "core/tune/adam.h"
#include "core/tune/tuned_model.h"
#include "core/tune/tuning_settings.h"

namespace owq {
namespace {

/// All columns are weak: so the gradient of the whole weight is at hand, and the whole weight can be set.
class WholeSource final : public ForwardingSource {
public:
    using ForwardingSource::ForwardingSource;
    QuantizedLinear linear(const std::string& name) const override {
        QuantizedLinear q = source_->linear(name);
        q.weakWeight = dequantize(q);
        q.weakType = DType::f32;
        q.weakColumns.clear();
        for (int64_t c = 0; c < q.columns; ++c) q.weakColumns.push_back(int32_t(c));
        return q;
    }
};

struct Adapter {
    int64_t rows, columns, first;  ///< of B [rows, rank] and, behind it, A [rank, columns] among the parameters
};

class Lora {
public:
    Lora(TunedModel& model, int64_t rank, uint64_t seed) : model_(model), rank_(rank) {
        std::mt19937_64 random(seed);
        for (const WeakMatrix& m : model.matrices()) {
            const int64_t columns = int64_t(m.columns.size());
            adapters_.push_back({m.rows, columns, int64_t(state.weights.size())});
            state.weights.resize(state.weights.size() + size_t(m.rows * rank), 0.f);
            std::normal_distribution<float> normal(0, 1 / std::sqrt(float(columns)));
            for (int64_t i = 0; i < rank * columns; ++i) state.weights.push_back(normal(random));
        }
    }
    void use(std::vector<float> parameters) {
        state.weights = std::move(parameters);
        std::vector<float> whole = model_.original();
        for (size_t i = 0; i < adapters_.size(); ++i) weight(whole, i).addmm_(b(state.weights, i), a(state.weights, i));
        model_.setWeights(whole);
    }
    /// From that of the whole weights.
    std::vector<float> gradient(std::vector<float>& whole) {
        std::vector<float> out(state.weights.size());
        for (size_t i = 0; i < adapters_.size(); ++i) {
            b(out, i).copy_(weight(whole, i).mm(a(state.weights, i).t()));
            a(out, i).copy_(b(state.weights, i).t().mm(weight(whole, i)));
        }
        return out;
    }
    AdamState state;

private:
    at::Tensor weight(std::vector<float>& of, size_t i) const { return at::from_blob(of.data() + model_.matrices()[i].first, {adapters_[i].rows, adapters_[i].columns}, at::kFloat); }
    at::Tensor b(std::vector<float>& of, size_t i) const { return at::from_blob(of.data() + adapters_[i].first, {adapters_[i].rows, rank_}, at::kFloat); }
    at::Tensor a(std::vector<float>& of, size_t i) const {
        return at::from_blob(of.data() + adapters_[i].first + adapters_[i].rows * rank_, {rank_, adapters_[i].columns}, at::kFloat);
    }
    TunedModel& model_;
    int64_t rank_;
    std::vector<Adapter> adapters_;
};

double meanLoss(const TunedModel& model, const std::vector<TuningExample>& examples) {
    TuningLoss sum;
    for (int64_t i = 0; i < int64_t(examples.size()); ++i) {
        const TuningLoss one = model.loss(makeBatch(examples, {i}));
        sum.nll += one.nll;
        sum.tokens += one.tokens;
    }
    return sum.mean();
}

void run(char** argument) {
    const auto source = ModelSource::open(argument[0]);
    const auto tokenizer = openTokenizer(source->tokenizerFolder());
    TuningSettings settings;
    const int64_t rank = std::atoll(argument[3]);
    settings.learningRate = std::atof(argument[4]);
    settings.epochs = std::atoll(argument[5]);
    settings.accumulate = std::atoll(argument[6]);
    settings.seed = uint64_t(std::atoll(argument[7]));
    constexpr int64_t length = 512;
    TuningData data = readTuningData(argument[1], *tokenizer, length, source->info().vocabulary);
    const TuningData validation = splitValidation(data, settings.validationShare, settings.seed);
    TuningData test = readTuningData(argument[2], *tokenizer, length, source->info().vocabulary);
    std::erase_if(test.examples, [](const TuningExample& e) { return int64_t(e.ids.size()) < length; });  // as perplexity is measured

    TunedModel model(std::make_shared<WholeSource>(source), {}, {.arithmetic = Arithmetic::dense});
    Lora lora(model, rank, settings.seed);
    const double before = meanLoss(model, test.examples);
    const int64_t all = int64_t(data.examples.size()), perEpoch = (all + settings.accumulate - 1) / settings.accumulate, steps = settings.epochs * perEpoch;
    const int64_t warmUp = std::llround(std::ceil(settings.warmUp * double(steps))), every = (perEpoch + 1) / 2;
    double best = meanLoss(model, validation.examples);
    std::vector<float> bestWeights = lora.state.weights;
    int64_t worse = 0, step = 0;
    for (; step < steps && worse < settings.patience; ++step) {
        const std::vector<int64_t> order = epochOrder(all, settings.seed, step / perEpoch);
        const int64_t first = step % perEpoch * settings.accumulate, last = std::min(all, first + settings.accumulate);
        int64_t tokens = 0;
        for (int64_t i = first; i < last; ++i) tokens += data.examples[size_t(order[size_t(i)])].scored();
        std::vector<float> whole(size_t(model.parameters()));
        for (int64_t i = first; i < last; ++i) model.lossAndGradient(makeBatch(data.examples, {order[size_t(i)]}), 1 / double(tokens), whole);
        std::vector<float> gradient = lora.gradient(whole);
        clipNorm(gradient, settings.clip);
        adamStep(lora.state, gradient, scheduledRate(settings.learningRate, step, warmUp, steps));
        lora.use(lora.state.weights);
        if ((step + 1) % every && step + 1 < steps) continue;
        const double loss = meanLoss(model, validation.examples);
        worse = loss < best ? 0 : worse + 1;
        if (loss < best) best = loss, bestWeights = lora.state.weights;
    }
    lora.use(bestWeights);
    std::cout << "rank " << rank << ", " << bestWeights.size() << " parameters, learning rate " << settings.learningRate << ", seed " << settings.seed << ", "
              << step << " steps: validation " << best << ", perplexity " << std::exp(before) << " before, " << std::exp(meanLoss(model, test.examples)) << " after\n";
}

}  // namespace
}  // namespace owq

int main(int count, char** arguments) {
    if (count != 9) {
        std::cerr << "usage: bench_lora RUN DATA TEST RANK LEARNING_RATE EPOCHS ACCUMULATE SEED\n";
        return 2;
    }
    try {
        owq::run(arguments + 1);
        return 0;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
