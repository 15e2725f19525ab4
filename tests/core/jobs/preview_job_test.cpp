// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "core/base/file.h"
#include "core/jobs/preview.h"

namespace owq {
namespace {

using testing::HasSubstr;

CalibrationPreview look(const PreviewOptions& options) {
    Progress progress;
    return previewCalibration(options, progress, {});
}

TEST(PreviewJob, ShowsTheTextOfEachWindow) {
    const std::string file = OWQ_SAMPLE "/calibration.txt", all = readText(file);
    for (const char* model : {OWQ_SAMPLE "/sample-llama", OWQ_SAMPLE "/sample-opt"}) {
        const CalibrationPreview p = look({.model = model, .calibration = {.text = file, .samples = 4, .sequenceLength = 128}});
        EXPECT_EQ(p.windows, 4);
        EXPECT_EQ(p.length, 128);
        EXPECT_EQ(p.unknown, 0);
        ASSERT_EQ(p.texts.size(), 4U);
        for (const std::string& text : p.texts) {
            ASSERT_GT(text.size(), 200U);
            EXPECT_NE(all.find(text.substr(20, 100)), std::string::npos) << text;
        }
        EXPECT_NE(p.texts[0], p.texts[1]);
    }
}

TEST(PreviewJob, DrawsWhatTheSeedSaysAndDecodesNoMoreThanAsked) {
    PreviewOptions options{.model = OWQ_SAMPLE "/sample-llama", .calibration = {.text = OWQ_SAMPLE "/calibration.txt", .samples = 8, .sequenceLength = 64}, .texts = 2};
    const CalibrationPreview first = look(options);
    EXPECT_EQ(first.windows, 8);
    EXPECT_EQ(first.texts.size(), 2U);
    EXPECT_EQ(look(options).texts, first.texts);
    options.calibration.seed = 1;
    EXPECT_NE(look(options).texts, first.texts);
}

TEST(PreviewJob, ATokenFileIsShownAsItStands) {
    const CalibrationPreview p = look({.model = OWQ_SAMPLE "/sample-opt", .calibration = {.tokens = OWQ_TEST_DATA "/reference/opt/calib.safetensors"}});
    EXPECT_EQ(p.windows, 128);
    EXPECT_EQ(p.texts.size(), 128U);
}

TEST(PreviewJob, RefusesWhatARunWouldRefuse) {
    const auto refused = [](const CalibrationOptions& calibration) {
        try {
            look({.model = OWQ_SAMPLE "/sample-llama", .calibration = calibration});
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("not refused");
    };
    EXPECT_THAT(refused({}), HasSubstr("no calibration text"));
    EXPECT_THAT(refused({.text = "nothing.txt"}), HasSubstr("nothing.txt"));
    EXPECT_THAT(refused({.text = OWQ_SAMPLE "/calibration.txt", .sequenceLength = 1 << 20}), HasSubstr("over the model's maximum"));
}

}  // namespace
}  // namespace owq
