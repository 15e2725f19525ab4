// SPDX-License-Identifier: Apache-2.0
#include "core/pipeline/quantize_model.h"

#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>

#include "core/base/memory.h"
#include "core/calibrate/block_runner.h"
#include "core/calibrate/correction.h"
#include "core/calibrate/hessian.h"
#include "core/device/device.h"
#include "core/pipeline/block_reader.h"
#include "core/pipeline/linear_recipe.h"
#include "core/quantize/quantize_tensor.h"

namespace owq {
namespace {

class Timer {
public:
    explicit Timer(double& sum) : sum_(sum), start_(std::chrono::steady_clock::now()) {}
    ~Timer() { sum_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

private:
    double& sum_;
    std::chrono::steady_clock::time_point start_;
};

class Walk {
public:
    Walk(const PipelineInput& input, LayerSink& sink, const OnLinear& onLinear, Progress& progress, std::stop_token stop)
        : input_(input), sink_(sink), onLinear_(onLinear), progress_(progress), stop_(stop),
          device_(input.device ? *input.device : hostDevice()), model_(input.model) {}

    StageSeconds run() {
        const int blocks = input_.model->info().blocks;
        std::unique_ptr<BlockRunner> runner;
        if (input_.windows) {
            Timer timer(seconds_.forward);
            progress_.report("Embedding the calibration windows", "", 0);
            const auto activations = [&] {
                return std::make_unique<BlockRunner>(model_, *input_.windows, 0, input_.scratch, device_, input_.activationsApart);
            };
            runner = activations();
            if (input_.recipe.inputCorrection > 0) original_ = activations();
        }
        BlockReader reader(model_, device_);
        for (int b = 0; b < blocks; ++b) {
            checkStop(stop_);
            Block block = reader.next(stop_);
            if (original_) originalBlock_.emplace(block);
            blockStart_ = double(b) / blocks;
            blockShare_ = 1.0 / blocks;
            runsAgain_ = b + 1 < blocks || input_.recipe.trueSequential;
            if (!runner) {
                quantizeLinears(block, {}, block.linears());
            } else if (input_.recipe.trueSequential) {
                sequential(block, *runner);
            } else if (pending(block.linears())) {
                quantizeLinears(block, hessians(block, *runner, {}), block.linears());
            } else {
                quantizeLinears(block, {}, block.linears());
            }
            if (runner && b + 1 < blocks) {
                Timer timer(seconds_.forward);
                runner->advance(block, stop_, [&](double f) { report("Passing on", blockName(block), 0.6 + 0.4 * f); });
                if (original_) original_->advance(*originalBlock_, stop_);
                device_.synchronize();
            }
            device_.synchronize();  // before the block is let go of (Device::runAside)
        }
        progress_.report("Quantized", "", 1);
        return seconds_;
    }

private:
    static std::string blockName(const Block& block) { return "block " + std::to_string(block.index() + 1); }

    void report(const std::string& phase, const std::string& item, double share) {
        progress_.report(phase, item, blockStart_ + blockShare_ * share);
    }

    int bitsOf(const LinearInfo& l) const {
        const LinearBudget* budget = input_.plan.find(l.name);
        return budget ? budget->bits : 16;
    }

    bool pending(const std::vector<LinearInfo>& linears) const {
        return std::any_of(linears.begin(), linears.end(), [&](auto& l) { return bitsOf(l) < 16 && !sink_.has(l.name); });
    }

    // Hessians of the groups that still have work; of one group only when it is named.
    std::map<std::string, at::Tensor> hessians(const Block& block, BlockRunner& runner, const std::string& only) {
        HessianSet set(device_);
        InputDrift drift;
        corrections_.clear();
        std::string last;
        std::set<std::string> needed;  // a group's sums are as large as its inputs squared: those nobody needs are not made
        for (const LinearInfo& l : block.linears())
            if (bitsOf(l) < 16 && !sink_.has(l.name) && (only.empty() || l.inputGroup == only)) needed.insert(last = l.inputGroup);
        Timer timer(seconds_.forward);
        double hessianSeconds = 0;
        const auto take = [&](const std::string& group, const at::Tensor& x, const at::Tensor* original) {
            if (!needed.contains(group)) return;
            device_.synchronize();
            Timer inner(hessianSeconds);
            set.add(group, x);
            if (original) drift.add(group, *original, x);
            device_.synchronize();
        };
        const auto onBatch = [&](double f) { report("Collecting Hessians", blockName(block), 0.4 * f); };
        // Until the first linear is quantized the models are one.
        const bool corrects = original_ && diverged_;
        if (corrects)
            runner.observePair(
                block, *original_, *originalBlock_,
                [&](const std::string& group, const at::Tensor& x, const at::Tensor& original) { take(group, x, &original); }, stop_,
                onBatch, last);
        else
            runner.observe(block, [&](const std::string& group, const at::Tensor& x) { take(group, x, nullptr); }, stop_, onBatch, last);
        seconds_.hessian += hessianSeconds;
        seconds_.forward -= hessianSeconds;
        returnFreeMemory();  // a pass leaves much, in pieces of other sizes than what follows takes
        std::map<std::string, at::Tensor> finished = set.finish(runner.windows());
        if (corrects)
            for (const auto& [group, h] : finished) {
                checkStop(stop_);
                corrections_[group] = drift.correction(group, h, runner.windows(), input_.recipe.damping, input_.recipe.inputCorrection);
            }
        return finished;
    }

    void sequential(Block& block, BlockRunner& runner) {
        std::vector<std::string> groups;
        for (const LinearInfo& l : block.linears())
            if (std::find(groups.begin(), groups.end(), l.inputGroup) == groups.end()) groups.push_back(l.inputGroup);
        for (const std::string& group : groups) {
            std::vector<LinearInfo> members;
            for (const LinearInfo& l : block.linears())
                if (l.inputGroup == group) members.push_back(l);
            std::map<std::string, at::Tensor> h;
            if (pending(members)) h = hessians(block, runner, group);
            quantizeLinears(block, h, members);
        }
    }

    void quantizeLinears(Block& block, const std::map<std::string, at::Tensor>& hessians, const std::vector<LinearInfo>& linears) {
        size_t done = 0;
        for (const LinearInfo& l : linears) {
            checkStop(stop_);
            report("Quantizing", l.name, 0.4 + 0.2 * double(done++) / double(linears.size()));
            if (bitsOf(l) >= 16) continue;
            returnFreeMemory();
            const bool resumed = sink_.has(l.name);
            const LinearOutcome outcome = resumed ? sink_.load(l.name) : quantizeOne(block, l, hessians);
            if (!resumed) sink_.store(l, outcome);
            if (onLinear_) onLinear_(l, outcome, resumed);
            device_.synchronize();  // before the old weight is let go of
            if (runsAgain_) block.setWeight(l.name, outcome.weight);
            diverged_ = true;
        }
    }

    LinearOutcome quantizeOne(const Block& block, const LinearInfo& l, const std::map<std::string, at::Tensor>& hessians) {
        at::Tensor weight = block.linear(l.name).weight();
        if (const auto p = corrections_.find(l.inputGroup); p != corrections_.end() && p->second.defined())
            weight = weight.add(weight.matmul(p->second)).contiguous();
        const auto h = hessians.find(l.inputGroup);
        const LinearRecipe recipe = linearRecipe(input_.recipe, *input_.plan.find(l.name), l.dtype);
        const bool uncorrected = corrections_.contains(l.inputGroup) && !corrections_.at(l.inputGroup).defined();
        try {
            LinearOutcome outcome = quantizeLinear(device_, weight, h == hessians.end() ? at::Tensor() : h->second, recipe, stop_);
            if (input_.windows) outcome.statistics.tokens = input_.windows->count() * input_.windows->length;
            if (uncorrected) outcome.notes.push_back("its inputs were not corrected: their Hessian is not positive definite with the damping asked for");
            seconds_.rangeSearch += outcome.seconds.rangeSearch;
            seconds_.columnLoop += outcome.seconds.columnLoop;
            return outcome;
        } catch (const Error& e) {
            throw inLinear(l.name, e);
        }
    }

    const PipelineInput& input_;
    LayerSink& sink_;
    const OnLinear& onLinear_;
    Progress& progress_;
    std::stop_token stop_;
    const Device& device_;
    LanguageModel model_;
    StageSeconds seconds_;
    std::unique_ptr<BlockRunner> original_;  ///< the activations of the unquantized model, where inputs are corrected
    std::optional<Block> originalBlock_;
    bool runsAgain_ = true;  ///< the block under work, once linears of it are quantized
    bool diverged_ = false;  ///< a linear of the model under work is no longer the original's
    std::map<std::string, at::Tensor> corrections_;  ///< by input group, of the block (or group) under work
    double blockStart_ = 0, blockShare_ = 1;
};

}  // namespace

StageSeconds quantizeModel(const PipelineInput& input, LayerSink& sink, const OnLinear& onLinear, Progress& progress,
                           std::stop_token stop) {
    const c10::InferenceMode inference;
    if (!input.windows && input.recipe.method != Method::rtn)
        throw Error("the method " + methodName(input.recipe.method) + " needs calibration data", "calibration",
                    "Give a calibration text or tokens");
    double total = 0;
    StageSeconds seconds;
    try {
        Timer timer(total);
        seconds = Walk(input, sink, onLinear, progress, stop).run();
    } catch (const c10::Error& e) {
        if (!input.device) throw;
        throw Error(std::string("the GPU could not go on: ") + e.what_without_backtrace(), input.device->name(),
                    "What is finished is kept. Where its memory was short, close what else uses it; or use --device cpu");
    }
    seconds.total = total;
    return seconds;
}

}  // namespace owq
