// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include "kernels/cpu/features.h"
#include "kernels/thread_pool.h"

namespace owq::kernels {

/// A test for every instruction set that this processor has.
class EachInstructionSet : public testing::TestWithParam<InstructionSet> {
protected:
    void SetUp() override {
        limitInstructionSet(GetParam());
        if (instructionSet() != GetParam()) GTEST_SKIP() << "this processor lacks the instructions";
    }
    void TearDown() override {
        limitInstructionSet(kBestInstructionSet);
        setThreads(0);
    }
};

}  // namespace owq::kernels
