// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/jobs/calibrate.h"
#include "core/jobs/quantize.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

using testing::HasSubstr;

/// Two small runs of a few linears, made once.
class CompareJob : public testing::Test {
protected:
    static void SetUpTestSuite() {
        folder = new TemporaryFolder;
        make("a", Method::owq, "q,k,v");
        make("b", Method::optq, "q,k");
    }
    static void TearDownTestSuite() { delete folder; }
    static void make(const char* name, Method method, const char* layers) {
        QuantizeOptions options;
        options.model = OWQ_SAMPLE "/sample-opt";
        options.calibration.text = OWQ_SAMPLE "/calibration.txt";
        options.calibration.samples = 2;
        options.calibration.sequenceLength = 64;
        options.recipe.method = method;
        options.recipe.layers = layers;
        if (method == Method::owq) options.recipe.weakColumns = 4;
        if (method == Method::rtn) options.calibration = {};
        options.out = *folder / name;
        Progress progress;
        quantize(options, progress, {});
    }
    static CompareResult run(const std::vector<std::string>& names) {
        CompareOptions options;
        for (const std::string& name : names) options.runs.push_back(*folder / name);
        Progress progress;
        return compare(options, progress, {});
    }
    static std::string refusal(const std::vector<std::string>& names) {
        try {
            run(names);
        } catch (const Error& e) {
            return e.what();
        }
        return "none";
    }
    static TemporaryFolder* folder;
};
TemporaryFolder* CompareJob::folder = nullptr;

TEST_F(CompareJob, PutsRunsAndLinearsSideBySideInTheOrderOfTheirDifference) {
    const CompareResult r = run({"a", "b"});
    ASSERT_EQ(r.runs.size(), 2u);
    EXPECT_EQ(r.runs[0].name, "a");
    EXPECT_EQ(r.runs[0].recipe.method, Method::owq);
    EXPECT_GT(r.runs[0].effectiveBits.paper, 3);
    EXPECT_DOUBLE_EQ(r.runs[1].effectiveBits.paper, 3);
    double sum[2] = {0, 0};
    for (size_t i = 0; i < r.linears.size(); ++i) {
        const ComparedLinear& l = r.linears[i];
        ASSERT_EQ(l.values.size(), 2u);
        if (i) {
            EXPECT_LE(l.difference, r.linears[i - 1].difference);
        }
        EXPECT_EQ(l.values[0].weakColumns.size(), 4u);
        EXPECT_EQ(l.sharedWeakColumns, 0) << "optq keeps none";
        if (!l.values[1].quantized) {
            EXPECT_TRUE(std::isinf(l.difference)) << l.name;
            EXPECT_THAT(l.name, HasSubstr("v_proj"));
            continue;
        }
        for (int k : {0, 1}) sum[k] += *l.values[size_t(k)].error;
    }
    EXPECT_DOUBLE_EQ(*r.runs[0].error, sum[0]) << "of the linears that both quantized";
    EXPECT_DOUBLE_EQ(*r.runs[1].error, sum[1]);
}

TEST_F(CompareJob, ARunAgainstItselfDiffersNowhere) {
    const CompareResult r = run({"a", "a"});
    for (const ComparedLinear& l : r.linears) {
        EXPECT_EQ(l.difference, 0);
        EXPECT_EQ(l.sharedWeakColumns, 4);
    }
}

TEST_F(CompareJob, AnErrorThatWasNotMeasuredIsNotZero) {
    make("d", Method::rtn, "q");
    const CompareResult r = run({"a", "d"});
    EXPECT_FALSE(r.runs[1].error);
    for (const ComparedLinear& l : r.linears) EXPECT_FALSE(l.values[1].error);
    EXPECT_TRUE(toJson(r)["runs"][1]["error"].is_null());
}

TEST_F(CompareJob, TakesUpTheEvaluationsThatLieInTheFolders) {
    writeJson(*folder / "a" / "evaluation.json",
              {{"perplexity", 12.5}, {"protocol", "plain"}, {"text", "/x/heldout.txt"}, {"windows", 4}, {"sequence_length", 64},
               {"kl", {{"mean", 0.02}}}, {"top1_agreement", 0.9}});
    const CompareResult r = run({"a", "b"});
    ASSERT_EQ(r.texts, std::vector<std::string>{"heldout.txt, 4 x 64"});
    ASSERT_EQ(r.runs[0].perplexities.size(), 1u);
    EXPECT_DOUBLE_EQ(r.runs[0].perplexities[0].perplexity, 12.5);
    EXPECT_DOUBLE_EQ(*r.runs[0].perplexities[0].kl, 0.02);
    EXPECT_TRUE(r.runs[1].perplexities.empty());
    const Json j = toJson(r);
    EXPECT_EQ(j["runs"][0]["evaluations"][0]["top1_agreement"], 0.9);
    EXPECT_TRUE(j["layers"][0]["log_ratio"].is_null()) << "kept by one run";
    const std::string csv = toCsv(r);
    EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + std::ptrdiff_t(2 * r.linears.size()));
    std::filesystem::remove(*folder / "a" / "evaluation.json");
}

TEST_F(CompareJob, TakesUpWhatTheWindowKeeps) {
    EvaluateResult measured;
    measured.perplexity = 12.5;
    measured.text = "held out.txt";
    measured.protocol = "c4";
    measured.arithmetic = "dense";
    measured.windows = 4, measured.sequenceLength = 64;
    const auto files = [&] {
        return std::distance(std::filesystem::directory_iterator(*folder / "a"), std::filesystem::directory_iterator());
    };
    const auto before = files();
    keepEvaluation(*folder / "a", measured);
    const std::filesystem::path file = *folder / "a" / "evaluation-held-out.txt-c4-4-x-64.json";
    EXPECT_EQ(readJson(file), toJson(measured)) << "what owq evaluate --json writes";
    measured.divergence.emplace();
    measured.divergence->kl = {0.02, 0.001};
    measured.divergence->top1Agreement = 0.9;
    keepEvaluation(*folder / "a", measured);
    measured.divergence.reset();
    keepEvaluation(*folder / "a", measured);
    ComparedPerplexity kept = run({"a", "b"}).runs[0].perplexities.at(0);
    EXPECT_EQ(kept.title(), "held out.txt, c4, 4 x 64");
    EXPECT_EQ(kept.kl, 0.02) << "the same measurement without it takes nothing away";
    EXPECT_EQ(kept.klError, 0.001);
    // In the place of the file that a person named.
    std::filesystem::rename(file, *folder / "a" / "evaluation.json");
    measured.perplexity = 13;
    keepEvaluation(*folder / "a", measured);
    EXPECT_EQ(files(), before + 1);
    EXPECT_EQ(run({"a", "b"}).runs[0].perplexities.at(0).perplexity, 13);
    // Of a task, in another column; scores of questions are no perplexity.
    measured.task = "/tasks/stories/task.safetensors";
    keepEvaluation(*folder / "a", measured);
    writeJson(*folder / "a" / "evaluation-questions.json", {{"tasks", Json::array()}});
    EXPECT_EQ(run({"a", "b"}).texts, (std::vector<std::string>{"held out.txt, c4, 4 x 64, task stories", "held out.txt, c4, 4 x 64"}));
    for (const char* name : {"evaluation.json", "evaluation-questions.json", "evaluation-held-out.txt-c4-4-x-64-task-stories.json"})
        EXPECT_TRUE(std::filesystem::remove(*folder / "a" / name)) << name;
    EXPECT_THROW(keepEvaluation(*folder / "nowhere", measured), std::exception);
}

TEST_F(CompareJob, RefusesWhatCannotBeCompared) {
    EXPECT_THAT(refusal({"a"}), HasSubstr("two or more"));
    EXPECT_THAT(refusal({"a", "none"}), HasSubstr("none"));
    make("c", Method::rtn, "fc1");
    EXPECT_THAT(refusal({"b", "c"}), HasSubstr("no quantized linear in common"));
    std::filesystem::remove(*folder / "c" / "result.json");
    EXPECT_THAT(refusal({"b", "c"}), HasSubstr("owq quantize --resume"));
}

}  // namespace
}  // namespace owq
