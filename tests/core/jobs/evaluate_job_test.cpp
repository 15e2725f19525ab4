// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/jobs/export.h"
#include "core/jobs/quantize.h"
#include "tests/core/jobs/temporary_folder.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

const fs::path kLlama = fs::path(OWQ_SAMPLE) / "sample-llama";

void quantizeTo(const fs::path& out, Method method, double targetBits) {
    QuantizeOptions o;
    o.model = kLlama;
    o.out = out;
    o.calibration.text = OWQ_SAMPLE "/calibration.txt";
    o.calibration.samples = 4;
    o.calibration.sequenceLength = 128;
    o.recipe.method = method;
    o.recipe.bits = 3;
    o.recipe.targetBits = targetBits;
    Progress progress;
    quantize(o, progress, {});
}

EvaluateOptions options(const fs::path& model, const fs::path& against, int64_t windows = 4) {
    EvaluateOptions o;
    o.model = model;
    o.against = against;
    o.text = OWQ_SAMPLE "/heldout.txt";
    o.sequenceLength = 128;
    o.maxWindows = windows;
    return o;
}

EvaluateResult measured(const EvaluateOptions& options) {
    Progress progress;
    return evaluate(options, progress, {});
}

class EvaluateJob : public testing::Test {
protected:
    TemporaryFolder folder;
};

TEST_F(EvaluateJob, DivergenceInTheContractsWords) {
    quantizeTo(folder / "rtn", Method::rtn, 0);
    std::set<std::string> items;
    Progress progress([&](const ProgressUpdate& update) { items.insert(update.item); });
    const EvaluateResult result = evaluate(options(folder / "rtn", kLlama), progress, {});
    EXPECT_THAT(items, testing::IsSupersetOf({"block 1", "block 1 of the original", "head"}));
    const Json json = toJson(result);
    ASSERT_TRUE(result.divergence);
    EXPECT_EQ(json["kl"]["mean"], result.divergence->kl.mean);
    EXPECT_EQ(json["kl"]["standard_error"], result.divergence->kl.standardError.value());
    EXPECT_EQ(json["top1_agreement"], result.divergence->top1Agreement);
    EXPECT_EQ(json["window_kl"].size(), 4u);
    EXPECT_EQ(json["original"]["model"], kLlama.string());
    const EvaluateResult alone = measured(options(kLlama, {}));
    EXPECT_EQ(json["original"]["perplexity"], alone.perplexity);
    EXPECT_EQ(json["original"]["nll"], alone.nll);
    EXPECT_EQ(json["perplexity"], measured(options(folder / "rtn", {})).perplexity);
    EXPECT_NEAR(json["log_perplexity_difference"]["mean"].get<double>(), std::log(result.perplexity / alone.perplexity), 1e-12);
    EXPECT_FALSE(toJson(alone).contains("kl"));
    EXPECT_TRUE(toJson(measured(options(kLlama, kLlama, 1)))["kl"]["standard_error"].is_null());
}

TEST_F(EvaluateJob, WeakColumnsKeepAModelNearerToItsOriginal) {
    quantizeTo(folder / "rtn", Method::rtn, 0);
    quantizeTo(folder / "owq", Method::owq, 3.05);
    const DivergenceResult rtn = *measured(options(folder / "rtn", kLlama)).divergence;
    const DivergenceResult owq = *measured(options(folder / "owq", kLlama)).divergence;
    EXPECT_GT(rtn.kl.mean, 1.5 * owq.kl.mean);
    EXPECT_GT(owq.kl.mean, 0.001);
    EXPECT_LT(rtn.top1Agreement, owq.top1Agreement);
    EXPECT_GT(rtn.logPerplexityDifference.mean, owq.logPerplexityDifference.mean);
}

TEST_F(EvaluateJob, EveryKindOfModelOnEitherSide) {
    quantizeTo(folder / "run", Method::owq, 3.05);
    Progress progress;
    exportModel({.run = folder / "run", .format = "owq", .out = folder / "packed"}, progress, {});
    exportModel({.run = folder / "run", .format = "owq-pth", .out = folder / "model.pth"}, progress, {});
    for (const char* kind : {"packed", "model.pth"}) {
        EvaluateOptions o = options(folder / "run", folder / kind, 2);
        if (o.against.extension() == ".pth") o.againstFolder = kLlama;
        const DivergenceResult there = *measured(o).divergence;
        std::swap(o.model, o.against);
        std::swap(o.modelFolder, o.againstFolder);
        const DivergenceResult back = *measured(o).divergence;
        // Scales are rounded to 16 bits in both formats; nothing else differs.
        for (const DivergenceResult& d : {there, back}) {
            EXPECT_GT(d.kl.mean, 0) << kind;
            EXPECT_LT(d.kl.mean, 1e-4) << kind;
            EXPECT_GT(d.top1Agreement, 0.97) << kind;
        }
        EXPECT_EQ(there.logPerplexityDifference.mean, -back.logPerplexityDifference.mean) << kind;
    }
}

TEST_F(EvaluateJob, SaysWhereDocumentsCannotBeToldApart) {
    const auto write = [&](const std::string& first) {
        std::string lines;
        for (const std::string& text : {first, std::string("It was a dark and stormy night, and nobody was there.")}) lines += Json{{"text", text}}.dump() + "\n";
        writeText(folder / "two.jsonl", lines);
    };
    EvaluateOptions o = options(kLlama, kLlama, 0);
    o.text = folder / "two.jsonl";
    o.protocol = "c4";
    o.sequenceLength = 8;
    write("He laughed \xf0\x9f\x98\x80 and went away.");
    const EvaluateResult apart = measured(o);
    EXPECT_EQ(apart.divergence->documents.size(), 2u);
    EXPECT_THAT(apart.warnings, testing::IsEmpty());
    write("He laughed</s> and went away.");  // one token, which spells nothing
    const EvaluateResult joined = measured(o);
    EXPECT_THAT(joined.divergence->documents, testing::IsEmpty());
    EXPECT_THAT(joined.warnings, testing::ElementsAre(HasSubstr("two.jsonl")));
    EXPECT_EQ(toJson(joined)["warnings"].size(), 1u);
}

TEST_F(EvaluateJob, KeptLogProbabilitiesAreNotThoseOfAnOriginalWrittenAnew) {
    quantizeTo(folder / "run", Method::rtn, 0);
    EvaluateOptions o = options(kLlama, folder / "run", 1);
    o.base = folder / "base.safetensors";
    const double kl = measured(o).divergence->kl.mean;
    EXPECT_NEAR(measured(o).divergence->kl.mean / kl, 1, 1e-2) << "read back";
    fs::remove_all(folder / "run");
    quantizeTo(folder / "run", Method::owq, 3.05);
    try {
        measured(o);
        FAIL() << "values of a model that is gone";
    } catch (const Error& e) {
        EXPECT_THAT(e.what(), testing::AllOf(HasSubstr("base.safetensors"), HasSubstr("files were changed")));
    }
    o.against.clear();
    EXPECT_NEAR(measured(o).divergence->kl.mean / kl, 1, 1e-2) << "asked for without an original";
}

TEST_F(EvaluateJob, RefusesAndStops) {
    const auto messageOf = [](const EvaluateOptions& o) {
        try {
            measured(o);
        } catch (const Error& e) {
            return std::string(e.what());
        }
        return std::string("no error");
    };
    EXPECT_THAT(messageOf(options(kLlama, fs::path(OWQ_SAMPLE) / "sample-opt")), HasSubstr("different tokens of this text"));
    EXPECT_THAT(messageOf(options(kLlama, folder / "none")), HasSubstr("none"));
    Progress progress;
    std::stop_source stop;
    stop.request_stop();
    EXPECT_THROW(evaluate(options(kLlama, kLlama), progress, stop.get_token()), Cancelled);
}

}  // namespace
}  // namespace owq
