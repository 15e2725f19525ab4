// SPDX-License-Identifier: Apache-2.0
#include "app/cli/progress_line.h"

#include <gmock/gmock.h>

namespace owq::cli {
namespace {

using testing::HasSubstr;

TEST(ProgressText, BarWhereThereIsRoom) {
    const ProgressUpdate update{"Quantizing", "layers.3.fc1", 0.425, 10, 185};
    const std::string wide = progressText(update, 100);
    EXPECT_EQ(wide, "Quantizing layers.3.fc1  [##########..............]  42 %  3:05 left");
    EXPECT_EQ(progressText(update, 60), "Quantizing layers.3.fc1   42 %  3:05 left");
    EXPECT_LE(progressText(update, 30).size(), 30u);
    EXPECT_THAT(progressText(update, 30), HasSubstr("42 %"));
}

TEST(ProgressText, NoEstimateWhileUnknown) {
    EXPECT_EQ(progressText({"Reading", "", 1, 0, -1}, 60), "Reading  100 %");
}

TEST(ProgressLine, PlainLinesAreFew) {
    testing::internal::CaptureStderr();
    {
        ProgressLine line(false, false);
        for (int i = 0; i <= 1000; ++i) line.show({i < 500 ? "One" : "Two", "", i / 1000.0, 0, -1});
    }
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 13);
    EXPECT_THAT(text, testing::AllOf(HasSubstr("One"), HasSubstr("Two"), HasSubstr("100 %"), testing::Not(HasSubstr("\r"))));
}

TEST(ProgressLine, QuietAndFinishedSayNothing) {
    testing::internal::CaptureStderr();
    ProgressLine(true, true).show({"One", "", 0.5, 0, -1});
    ProgressLine line(false, true);
    line.finish();
    line.show({"One", "", 0.5, 0, -1});
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace owq::cli
