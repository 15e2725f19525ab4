// SPDX-License-Identifier: Apache-2.0
// A model of every family from the checkpoint to the packed folder, and back.
#include <gtest/gtest.h>

#include "core/checkpoint/tensor_file.h"
#include "core/jobs/evaluate.h"
#include "core/jobs/export.h"
#include "core/jobs/inspect.h"
#include "core/jobs/quantize.h"
#include "core/model/model_source.h"
#include "tests/core/jobs/temporary_folder.h"
#include "tests/core/model/family_test_data.h"

namespace owq {
namespace {

using testing::FamilyModel;

class FamilyRun : public ::testing::TestWithParam<FamilyModel> {
protected:
    /// The recorded ids, turned by one place for each window.
    std::filesystem::path tokens(const std::string& name, int64_t windows, bool flat) {
        const std::vector<int32_t>& ids = GetParam().ids;
        std::vector<int64_t> values;
        for (int64_t w = 0; w < windows; ++w)
            for (size_t i = 0; i < ids.size(); ++i) values.push_back(ids[(i + size_t(w)) % ids.size()]);
        const int64_t length = int64_t(ids.size());
        const std::vector<int64_t> shape = flat ? std::vector{windows * length} : std::vector{windows, length};
        writeSafetensors(folder / name, {{"input_ids", Tensor::from(DType::i64, shape, values)}});
        return folder / name;
    }
    EvaluateResult evaluated(const std::filesystem::path& model, Arithmetic arithmetic = Arithmetic::dense) {
        EvaluateOptions e;
        e.model = model;
        e.arithmetic = arithmetic;
        e.tokens = tokens("evaluation.safetensors", 3, true);
        e.sequenceLength = int64_t(GetParam().ids.size());
        return evaluate(e, progress, {});
    }
    void exported(const std::string& format) {
        ExportOptions x;
        x.run = folder / "run";
        x.format = format;
        x.out = folder / format;
        exportModel(x, progress, {});
    }
    TemporaryFolder folder;
    Progress progress;
};

TEST_P(FamilyRun, QuantizesExportsAndComputesTheSamePacked) {
    QuantizeOptions q;
    q.model = GetParam().folder();
    q.out = folder / "run";
    q.calibration.tokens = tokens("calibration.safetensors", 8, false);
    q.calibration.samples = 8;
    q.recipe = presetRecipe("paper", Method::owq);
    q.recipe.allocation = "paper";
    q.recipe.bits = 4;
    q.recipe.weakColumns = 2;
    q.recipe.trueSequential = true;  // group by group: their order must be that of a pass
    quantize(q, progress, {});
    exported("owq");
    exported("dense");

    const auto packed = ModelSource::open(folder / "owq");
    for (const LinearInfo& linear : packed->info().linears) EXPECT_TRUE(packed->quantized(linear.name)) << linear.name;
    const double original = evaluated(GetParam().folder()).nll, run = evaluated(folder / "run").nll;
    EXPECT_NE(run, original);
    EXPECT_NEAR(run / original, 1, 0.05) << "4 bits do not destroy a model";
    // The packed folder rounds scales to half precision, the dense one weights: a relative 2^-11.
    EXPECT_NEAR(evaluated(folder / "owq").nll / run, 1, std::ldexp(1.0, -11));
    EXPECT_NEAR(evaluated(folder / "dense").nll / run, 1, std::ldexp(1.0, -11));
    // Packed weights that are multiplied as they lie; of a run and of the folder.
    for (const char* model : {"run", "owq"}) {
        const double dense = evaluated(folder / model).perplexity, exact = evaluated(folder / model, Arithmetic::exact).perplexity,
                     rounded = evaluated(folder / model, Arithmetic::doubleInt8).perplexity;
        EXPECT_NEAR(exact / dense, 1, 1e-6) << "the same but for the last bits of sums in fp32";
        // Over this hundred of tokens; the sample models keep within 0.01 % of many (golden_perplexity_test).
        EXPECT_NEAR(rounded / exact, 1, std::ldexp(1.0, -11));
        EXPECT_NE(rounded, exact) << "inputs were not rounded";
    }
}

TEST_P(FamilyRun, InspectSeesTheRangesOfColumnsAsComputedWith) {
    InspectOptions options;
    options.model = GetParam().folder();
    options.statistics = true;
    const InspectResult result = inspect(options, progress, {});
    ASSERT_EQ(result.ranges.size(), result.info.linears.size());
    for (size_t i = 0; i < result.ranges.size(); ++i)
        EXPECT_EQ(result.ranges[i].columnMin.size(), size_t(result.info.linears[i].columns));
}

INSTANTIATE_TEST_SUITE_P(Recorded, FamilyRun, ::testing::ValuesIn(testing::allFamilyModels()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace owq
