// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/jobs/inspect.h"

namespace owq {
namespace {

using testing::HasSubstr;

InspectResult look(InspectOptions options) {
    Progress progress;
    return inspect(options, progress, {});
}

TEST(InspectJob, SampleModel) {
    const InspectResult r = look({.model = OWQ_SAMPLE "/sample-llama"});
    const Json j = toJson(r);
    EXPECT_EQ(j["family"], "llama");
    EXPECT_EQ(j["parameters"], 6917376);
    EXPECT_EQ(j["layers"].size(), 42u);
    EXPECT_EQ(j["layers"][0]["rows"], 256);
    EXPECT_EQ(j["layers"][0]["input"], j["layers"][1]["input"]);
    EXPECT_THAT(r.tokenizer, HasSubstr("4096"));
}

TEST(InspectJob, StatisticsOfOneLayer) {
    const InspectResult r = look({.model = OWQ_SAMPLE "/sample-opt", .layer = "model.decoder.layers.0.fc1"});
    ASSERT_EQ(r.ranges.size(), 1u);
    EXPECT_EQ(r.ranges[0].columnMin.size(), 256u);
    EXPECT_LT(r.ranges[0].min, r.ranges[0].max);
    EXPECT_THROW(look({.model = OWQ_SAMPLE "/sample-opt", .layer = "fc9"}), Error);
}

TEST(InspectJob, BareTensorFileAndValues) {
    const InspectResult r = look({.model = OWQ_TEST_DATA "/reference/opt/calib.safetensors", .tensor = "input_ids"});
    EXPECT_EQ(r.kind, ModelKind::tensorFile);
    ASSERT_TRUE(r.tensor);
    EXPECT_EQ(r.tensor->first.size(), 64u);
    EXPECT_EQ(r.tensor->nonFinite, 0);
    EXPECT_EQ(toJson(r)["tensors"][0]["dtype"], "I32");
    EXPECT_THROW(look({.model = OWQ_SAMPLE "/none"}), Error);
}

}  // namespace
}  // namespace owq
