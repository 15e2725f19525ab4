// SPDX-License-Identifier: Apache-2.0
#include "tests/app/cli/program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/file.h"

extern char** environ;

namespace owq {

namespace fs = std::filesystem;

Started::Started(const std::string& program, const std::vector<std::string>& arguments, const fs::path& folder)
    : out_(folder / "stdout"), error_(folder / "stderr") {
    std::vector<std::string> texts{program};
    texts.insert(texts.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, out_.c_str(), flags, 0600);
    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, error_.c_str(), flags, 0600);
    if (posix_spawn(&pid_, program.c_str(), &files, nullptr, pointers.data(), environ) != 0) pid_ = -1;
    posix_spawn_file_actions_destroy(&files);
    EXPECT_GT(pid_, 0) << program << " cannot be started";
}

Outcome Started::wait() {
    int status = 0;
    if (pid_ < 0 || waitpid(pid_, &status, 0) < 0) return {};
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), readText(out_), readText(error_)};
}

void CliTest::SetUp() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    std::string name = info->name();
    std::replace(name.begin(), name.end(), '/', '-');
    folder = fs::temp_directory_path() / ("owq-cli-" + name + "-" + std::to_string(::getpid()));
    fs::create_directories(folder);
}

void CliTest::TearDown() { fs::remove_all(folder); }

Outcome CliTest::owq(const std::vector<std::string>& arguments) const {
    return Started(program(), arguments, folder).wait();
}

fs::path CliTest::write(const std::string& name, const std::string& text) const {
    writeText(folder / name, text);
    return folder / name;
}

}  // namespace owq
