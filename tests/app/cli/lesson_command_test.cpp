// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "tests/app/cli/program.h"

namespace owq {
namespace {

using testing::HasSubstr;
using LessonCommand = CliTest;

TEST_F(LessonCommand, PrintsThePieceAndWritesEveryStep) {
    const auto json = folder / "lesson.json";
    const Outcome outcome = owq({"lesson", sample("sample-llama"), "--calibration", sample("calibration.txt"), "--layer",
                                 "model.layers.0.mlp.up_proj", "--samples", "2", "--json", json.string()});
    ASSERT_EQ(outcome.code, 0) << outcome.error;
    EXPECT_THAT(outcome.out, HasSubstr("model.layers.0.mlp.up_proj: 8 of 704 rows, 12 of 256 columns, 3 bits"));
    EXPECT_THAT(outcome.out, HasSubstr("sensitivity"));
    EXPECT_THAT(outcome.out, HasSubstr("in 16 bit"));
    const Json result = readJson(json);
    EXPECT_EQ(result["tokens"], 512);
    EXPECT_EQ(result["all"]["steps"].size(), 12u);
    EXPECT_LT(result["kept"]["output_error"].get<double>(), result["all"]["output_error"].get<double>());
}

TEST_F(LessonCommand, NeedsATextAndALayerThatIsThere) {
    EXPECT_EQ(owq({"lesson", sample("sample-llama")}).code, 2);
    const Outcome none = owq({"lesson", sample("sample-llama"), "--calibration", sample("calibration.txt"), "--layer", "none"});
    EXPECT_EQ(none.code, 1);
    EXPECT_THAT(none.error, HasSubstr("there is no linear none"));
}

}  // namespace
}  // namespace owq
