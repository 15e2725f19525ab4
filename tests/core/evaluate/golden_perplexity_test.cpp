// SPDX-License-Identifier: Apache-2.0
// The unquantized sample models on the first 64 windows of 512 tokens, against the reference's numbers. Slow.
#include <gtest/gtest.h>

#include "core/evaluate/perplexity.h"
#include "tests/core/evaluate/evaluation_windows.h"

namespace owq {
namespace {

using namespace owq::testing;

class GoldenPerplexity : public ::testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(GoldenPerplexity, IsTheReferences) {
    const auto& [family, text] = GetParam();
    const Json reference =
        readJson(std::filesystem::path(OWQ_TEST_DATA) / "reference" / family / "reference.json");
    const double expected = reference.at("runs").at("fp").at("ppl").at(text).get<double>();
    const double got = perplexity(ModelSource::open(sampleModel(family)), windows(family, text, 64, 512)).perplexity;
    RecordProperty("relative_difference", std::to_string(got / expected - 1));
    EXPECT_NEAR(got, expected, expected * 1e-4);
}

TEST_P(GoldenPerplexity, StaysWithInputsAsTwoEightBitNumbers) {
    const auto& [family, text] = GetParam();
    const auto packed = ModelSource::open(std::filesystem::path(OWQ_TEST_DATA) / "reference" / family / "owq3.05.pth", sampleModel(family));
    const auto measured = [&](Arithmetic arithmetic) {
        PerplexityOptions options;
        options.arithmetic = arithmetic;
        return perplexity(packed, windows(family, text, 64, 512), options).perplexity;
    };
    const double exact = measured(Arithmetic::exact), rounded = measured(Arithmetic::doubleInt8);
    RecordProperty("relative_difference", std::to_string(rounded / exact - 1));
    EXPECT_NEAR(rounded, exact, exact * 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Samples, GoldenPerplexity,
                         ::testing::Combine(::testing::Values("opt", "llama"),
                                            ::testing::Values("heldout", "wikitext2")));

}  // namespace
}  // namespace owq
