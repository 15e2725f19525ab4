// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/lesson.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "kernels/range_search.h"

namespace owq {
namespace {

using testing::HasSubstr;

LessonOptions sample(const std::string& linear = {}) {
    LessonOptions options;
    options.model = OWQ_SAMPLE "/sample-llama";
    options.linear = linear;
    options.calibration.text = OWQ_SAMPLE "/calibration.txt";
    return options;
}

LessonResult take(const LessonOptions& options) {
    Progress progress;
    return lesson(options, progress, {});
}

std::string failure(const LessonOptions& options) {
    try {
        take(options);
    } catch (const Error& e) {
        return e.what();
    }
    return {};
}

TEST(LessonJob, TakesAPieceAroundTheOutlierOfARealLinear) {
    const LessonResult r = take(sample("model.layers.1.self_attn.q_proj"));
    EXPECT_EQ(r.linear.name, "model.layers.1.self_attn.q_proj");
    EXPECT_EQ(r.statistics.sensitivity.size(), 256u);
    EXPECT_EQ(r.tokens, 8 * 256);
    ASSERT_EQ(r.rows.size(), 8u);
    ASSERT_EQ(r.columns.size(), 12u);
    EXPECT_TRUE(std::is_sorted(r.columns.begin(), r.columns.end()));
    EXPECT_EQ(std::set(r.columns.begin(), r.columns.end()).size(), 12u);
    const auto& s = r.statistics.sensitivity;
    const int32_t outlier = int32_t(std::max_element(s.begin(), s.end()) - s.begin());
    EXPECT_THAT(r.columns, testing::Contains(outlier));
    EXPECT_THAT((std::set<int32_t>{54, 63, 193, 204}), testing::Contains(outlier)) << "put into the sample: see its README";
    // The piece's Hessian is the linear's, at these columns.
    for (size_t i = 0; i < 12; i++)
        EXPECT_NEAR(r.hessian[i * 13], r.statistics.hessianDiagonal[size_t(r.columns[i])], 1e-4 * r.hessian[i * 13]);
    // Of the four outliers only the most sensitive one is in it, and it is the weak column.
    ASSERT_EQ(r.kept.outcome.weight.weakColumns.size(), 1u);
    EXPECT_EQ(r.columns[size_t(r.kept.outcome.weight.weakColumns[0])], outlier);
    EXPECT_EQ(r.all.steps.size(), 12u);
    EXPECT_EQ(r.kept.steps.size(), 11u);
}

TEST(LessonJob, EveryNumberIsThatOfTheProduct) {
    const LessonResult r = take(sample());
    EXPECT_EQ(r.linear.name, "model.layers.0.self_attn.q_proj") << "the first when none is named";
    const int64_t rows = int64_t(r.rows.size()), columns = int64_t(r.columns.size());
    for (const ColumnTrace* trace : {&r.all, &r.kept}) {
        LinearRecipe recipe;
        recipe.method = trace == &r.all ? Method::optq : Method::owq;
        recipe.weakColumns = trace == &r.all ? 0 : 1;
        const LinearOutcome plain = quantizeLinear(r.weight.data(), rows, columns, r.hessian.data(), recipe);
        EXPECT_EQ(trace->outcome.weight.codes, plain.weight.codes);
        EXPECT_EQ(trace->outcome.weight.scale, plain.weight.scale);
        EXPECT_EQ(trace->outcome.weight.weakWeight, plain.weight.weakWeight);
        for (size_t j = 0; j < trace->steps.size(); j++)
            for (int64_t row = 0; row < rows; row++)
                ASSERT_EQ(trace->steps[j].codes[size_t(row)],
                          plain.weight.codes[size_t(row * columns + plain.statistics.order[j])]);
        std::vector<uint8_t> weak(size_t(columns), 0);
        for (int32_t c : plain.weight.weakColumns) weak[size_t(c)] = 1;
        for (int64_t row = 0; row < rows; row++) {
            float scale = 0, zero = 0;
            kernels::findGrid(r.weight.data() + row * columns, 1, columns, columns, weak.data(), {.bits = 3, .steps = 100}, &scale, &zero);
            const GridTable& table = trace->grids[size_t(row)];
            EXPECT_EQ(float(table.zero), zero);
            EXPECT_NEAR(table.stepSize(table.step), scale, 1e-6f * scale);
            EXPECT_EQ(trace->outcome.weight.scale[size_t(row)], scale);
        }
        EXPECT_NEAR(trace->outputError, plain.error, 1e-3 * plain.error);
    }
    EXPECT_LT(r.kept.outputError, r.all.outputError) << "what the lesson is about";
    EXPECT_GT(r.plainError, 0);
}

TEST(LessonJob, WorksForOtherFamiliesAndSaysWhatIsWrong) {
    LessonOptions opt = sample();
    opt.model = OWQ_SAMPLE "/sample-opt";
    opt.rows = 3;
    opt.columns = 5;
    const LessonResult r = take(opt);
    EXPECT_EQ(r.weight.size(), 15u);
    EXPECT_EQ(r.all.factor.size(), 25u);

    EXPECT_THAT(failure(sample("model.layers.0.none")), HasSubstr("there is no linear"));
    LessonOptions silent = sample();
    silent.calibration.text.clear();
    EXPECT_NE(failure(silent), "");
    std::stop_source stop;
    stop.request_stop();
    Progress progress;
    EXPECT_THROW(lesson(sample(), progress, stop.get_token()), Cancelled);
}

TEST(LessonJob, WritesEveryStep) {
    const Json json = toJson(take(sample()));
    EXPECT_EQ(json["all"]["steps"].size(), 12u);
    EXPECT_EQ(json["kept"]["steps"].size(), 11u);
    EXPECT_EQ(json["kept"]["weak_columns"].size(), 1u);
    EXPECT_EQ(json["all"]["steps"][3]["column"], 3);
    EXPECT_EQ(json["all"]["grids"].size(), 8u);
    EXPECT_EQ(json["all"]["factor"].size(), 144u);
}

}  // namespace
}  // namespace owq
