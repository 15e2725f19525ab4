// SPDX-License-Identifier: Apache-2.0
#include "core/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include "core/base/error.h"
#include "core/base/memory.h"
#include "core/base/progress.h"

namespace owq {
namespace {

namespace fs = std::filesystem;

class FileTest : public testing::Test {
protected:
    void SetUp() override {
        folder = fs::temp_directory_path() / ("owq-file-test-" + std::to_string(::getpid()));
        fs::create_directories(folder);
    }
    void TearDown() override { fs::remove_all(folder); }
    size_t entries() const { return size_t(std::distance(fs::directory_iterator(folder), fs::directory_iterator())); }
    fs::path folder;
};

TEST_F(FileTest, AtomicFileIsWholeOrNotThere) {
    {
        AtomicFile out(folder / "a");
        out.write("half");
    }
    EXPECT_EQ(entries(), 0u);
    writeText(folder / "a", "whole");
    EXPECT_EQ(readText(folder / "a"), "whole");
    EXPECT_EQ(entries(), 1u);
    EXPECT_THROW(readText(folder / "a", 3), Error);
}

TEST_F(FileTest, TemporaryNamesAreKnownAgain) {
    const AtomicFile out(folder / "run.tmp-old.json");
    EXPECT_EQ(AtomicFile::targetOf(out.temporary().filename().string()), "run.tmp-old.json");
    EXPECT_EQ(AtomicFile::targetOf("run.tmp-mine"), "");
    EXPECT_EQ(AtomicFile::targetOf("run.json"), "");
}

TEST_F(FileTest, MappingOutlivesTheHandle) {
    writeText(folder / "m", "0123");
    auto mapped = MappedFile::open(folder / "m");
    fs::remove(folder / "m");
    EXPECT_EQ(char(mapped->bytes()[3]), '3');
    EXPECT_THROW(MappedFile::open(folder), Error);
    EXPECT_THROW(MappedFile::open(folder / "none"), Error);
}

TEST_F(FileTest, LockKeepsASecondHolderOut) {
    auto first = std::make_unique<FileLock>(folder / "lock");
    EXPECT_THROW(FileLock(folder / "lock"), Error);
    first.reset();
    EXPECT_NO_THROW(FileLock(folder / "lock"));
}

TEST_F(FileTest, KnownHashAndSpace) {
    writeText(folder / "h", "abc");
    EXPECT_EQ(sha256File(folder / "h"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_NO_THROW(requireSpace(folder / "not" / "yet", 1));
    EXPECT_THROW(requireSpace(folder, UINT64_MAX), Error);
}

TEST_F(FileTest, HashingALargeFileKeepsItOutOfMemory) {
    writeText(folder / "large", "x");
    fs::resize_file(folder / "large", uint64_t(512) << 20);
    const uint64_t before = std::max(peakMemoryBytes(), residentMemoryBytes());
    sha256File(folder / "large");
    EXPECT_LT(peakMemoryBytes(), before + (uint64_t(128) << 20));
}

TEST(Progress, SpansMapFractions) {
    std::vector<double> seen;
    Progress progress([&](const ProgressUpdate& u) { seen.push_back(u.fraction); });
    progress.report("a", "", 0.5);
    progress.setSpan(0.5, 1.0);
    progress.report("b", "", 0.5);
    EXPECT_EQ(seen, (std::vector<double>{0.5, 0.75}));
}

TEST(Progress, StopThrows) {
    std::stop_source source;
    EXPECT_NO_THROW(checkStop(source.get_token()));
    source.request_stop();
    EXPECT_THROW(checkStop(source.get_token()), Cancelled);
}

}  // namespace
}  // namespace owq
