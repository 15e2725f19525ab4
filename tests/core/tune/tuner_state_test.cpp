// SPDX-License-Identifier: Apache-2.0
// The state of a tuning as a file, and what is refused of one that was damaged or made up.
#include <gmock/gmock.h>

#include <cmath>
#include <functional>

#include "core/base/error.h"
#include "core/checkpoint/tensor_file.h"
#include "core/tune/tuner.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class TunerStateFile : public ::testing::Test {
protected:
    /// Of 3 weights in one column, after 4 of 9 steps.
    static TunerState good() {
        TunerState s;
        s.adam = {{1, 2, 3}, {0.1f, -0.2f, 0.3f}, {0.01f, 0.02f, 0}, 4};
        s.evaluated = 4;
        s.best = 2.125;
        s.bestStep = 2;
        s.worse = 1;
        s.bestWeights = {1, 2, 2};
        s.inputSizes = {0.5f};
        return s;
    }
    TunerState read() const { return readTunerState(folder / "checkpoint.safetensors", 3, 1, 9); }
    std::string refusal(const std::function<void(TunerState&)>& spoil) {
        TunerState s = good();
        spoil(s);
        writeTunerState(folder / "checkpoint.safetensors", s);
        try {
            read();
        } catch (const Error& e) {
            EXPECT_THAT(e.what(), AllOf(HasSubstr("checkpoint.safetensors"), HasSubstr("--force")));
            return e.what();
        }
        return "read";
    }
    TemporaryFolder folder;
};

TEST_F(TunerStateFile, ComesBackAsItWas) {
    EXPECT_EQ(refusal([](TunerState&) {}), "read");
    const TunerState s = read();
    EXPECT_EQ(s.adam.weights, good().adam.weights);
    EXPECT_EQ(s.adam.second, good().adam.second);
    EXPECT_EQ(s.adam.steps, 4);
    EXPECT_EQ(s.best, 2.125);
    EXPECT_EQ(s.bestStep, 2);
    // Before the first step, and without a validation.
    EXPECT_EQ(refusal([](TunerState& one) { one = {{{1, 2, 3}, {}, {}, 0}}; }), "read");
    EXPECT_EQ(read().best, std::numeric_limits<double>::infinity());
}

TEST_F(TunerStateFile, NumbersThatCannotBeAreRefused) {
    constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();
    for (const int64_t steps : {int64_t(-1), int64_t(10), kLargest, -kLargest - 1})
        EXPECT_THAT(refusal([&](TunerState& s) { s.adam.steps = steps; }), HasSubstr("has done " + std::to_string(steps) + " of 9 steps"));
    EXPECT_THAT(refusal([](TunerState& s) { s.evaluated = 5; }), HasSubstr("validated after step 5 of 4"));
    EXPECT_THAT(refusal([](TunerState& s) { s.evaluated = -2; }), HasSubstr("validated after step -2"));
    EXPECT_THAT(refusal([](TunerState& s) { s.bestStep = 5; }), HasSubstr("best after step 5"));
    EXPECT_THAT(refusal([](TunerState& s) { s.worse = -3; }), HasSubstr("-3 validations"));
    EXPECT_THAT(refusal([](TunerState& s) { s.worse = kLargest; }), HasSubstr("validations since the best"));
    EXPECT_THAT(refusal([](TunerState& s) { s.best = std::nan(""); }), HasSubstr("best loss"));
    EXPECT_THAT(refusal([](TunerState& s) { s.bestStep = -1; }), HasSubstr("best"));
    EXPECT_THAT(refusal([](TunerState& s) { s.bestWeights = {}; }), HasSubstr("no best weights"));
    EXPECT_THAT(refusal([](TunerState& s) { s.adam.first = {}; }), HasSubstr("no moments"));
    EXPECT_THAT(refusal([](TunerState& s) { s.adam.weights[1] = NAN; }), HasSubstr("not finite"));
    EXPECT_THAT(refusal([](TunerState& s) { s.inputSizes[0] = INFINITY; }), HasSubstr("not finite"));
    EXPECT_THAT(refusal([](TunerState& s) { s.adam.second[0] = -1; }), HasSubstr("below 0"));
    EXPECT_THAT(refusal([](TunerState& s) { s.adam.weights.push_back(1); }), HasSubstr("weights is [4]"));
    EXPECT_THAT(refusal([](TunerState& s) { s.inputSizes.push_back(1); }), HasSubstr("weak columns"));
}

TEST_F(TunerStateFile, OfSomethingElseIsRefused) {
    writeSafetensors(folder / "checkpoint.safetensors", {{"weights", Tensor::f32({3}, {1, 2, 3})}}, {{"steps", "four"}});
    EXPECT_THROW(read(), Error);
    writeSafetensors(folder / "checkpoint.safetensors", {{"weights", Tensor::f32({3}, {1, 2, 3})}},
                     {{"steps", "99999999999999999999"}, {"evaluated", "0"}, {"best", "1"}, {"best_step", "0"}, {"worse", "0"}});
    EXPECT_THROW(read(), Error);
}

}  // namespace
}  // namespace owq
