// SPDX-License-Identifier: Apache-2.0
// Runs the real owq, as a person would.
#pragma once
#include <gtest/gtest.h>
#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace owq {

struct Outcome {
    int code = -1;  ///< exit code; 128 + number when a signal ended it
    std::string out, error;
};

/// A program under way.
class Started {
public:
    Started(const std::string& program, const std::vector<std::string>& arguments, const std::filesystem::path& folder);
    pid_t pid() const { return pid_; }
    Outcome wait();

private:
    pid_t pid_ = -1;
    std::filesystem::path out_, error_;
};

/// A fresh working folder for each test case, removed afterwards.
class CliTest : public testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;
    Outcome owq(const std::vector<std::string>& arguments) const;
    std::filesystem::path write(const std::string& name, const std::string& text) const;
    std::filesystem::path folder;
    static std::string sample(const std::string& name) { return std::string(OWQ_SAMPLE) + "/" + name; }
    static std::string program() { return std::string(OWQ_BIN_DIR) + "/owq"; }
};

}  // namespace owq
