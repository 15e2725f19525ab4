// SPDX-License-Identifier: Apache-2.0
#include "kernels/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace owq::kernels {
namespace {

class ThreadPool : public testing::TestWithParam<int> {
protected:
    void SetUp() override { setThreads(GetParam()); }
    void TearDown() override { setThreads(0); }
};

TEST_P(ThreadPool, CoversEveryIndexOnce) {
    for (int64_t count : {0, 1, 2, 7, 100, 1001}) {
        for (int64_t grain : {0, 1, 3, 64, 5000}) {
            std::vector<std::atomic<int>> seen(count);
            parallelFor(count, grain, [&](int64_t begin, int64_t end) {
                ASSERT_LE(0, begin);
                ASSERT_LT(begin, end);
                ASSERT_LE(end, count);
                EXPECT_TRUE(end == count || end - begin >= grain);
                for (int64_t i = begin; i < end; i++) seen[i]++;
            });
            for (auto& s : seen) ASSERT_EQ(s, 1);
        }
    }
}

TEST_P(ThreadPool, RethrowsAndGoesOn) {
    for (int round = 0; round < 20; round++) {
        EXPECT_THROW(parallelFor(100, 1, [](int64_t, int64_t end) {
            if (end > 10) throw std::runtime_error("no");
        }), std::runtime_error);
        std::atomic<int64_t> sum = 0;
        parallelFor(100, 1, [&](int64_t begin, int64_t end) { sum += end - begin; });
        EXPECT_EQ(sum, 100);
    }
}

TEST_P(ThreadPool, NestedLoopsStayInTheirThread) {
    std::atomic<int> total = 0;
    parallelFor(8, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            const auto id = std::this_thread::get_id();
            parallelFor(10, 1, [&](int64_t b, int64_t e) {
                EXPECT_EQ(std::this_thread::get_id(), id);
                total += int(e - b);
            });
        }
    });
    EXPECT_EQ(total, 80);
}

TEST_P(ThreadPool, TwoUsersAtOnce) {
    std::atomic<int64_t> total = 0;
    const auto use = [&] {
        for (int i = 0; i < 200; i++)
            parallelFor(50, 1, [&](int64_t begin, int64_t end) { total += end - begin; });
    };
    std::jthread other(use);
    use();
    other.join();
    EXPECT_EQ(total, 2 * 200 * 50);
}

// What lies in a thread's caches, or in its part of the memory, stays its own.
TEST(ThreadPoolShares, AThreadHasTheSameNeighboursInEveryLoop) {
    setThreads(3);
    std::map<std::thread::id, int64_t> first;
    for (int round = 0; round < 20; ++round) {
        std::map<std::thread::id, std::vector<int64_t>> begun;
        std::mutex mutex;
        std::atomic<int> here = 0;
        parallelFor(120, 1, [&](int64_t begin, int64_t) {
            bool new_ = false;
            {
                const std::lock_guard lock(mutex);
                std::vector<int64_t>& mine = begun[std::this_thread::get_id()];
                new_ = mine.empty();
                mine.push_back(begin);
            }
            if (!new_) return;
            here++;
            while (here < 3) std::this_thread::yield();  // so that each has begun before one could help another
        });
        ASSERT_EQ(begun.size(), 3u);
        for (const auto& [id, ranges] : begun) {
            EXPECT_EQ(ranges[0] % 40, 0);
            EXPECT_EQ(first.emplace(id, ranges[0]).first->second, ranges[0]) << round;
            for (size_t i = 1; i < ranges.size() && ranges[i] / 40 == ranges[0] / 40; ++i) EXPECT_GT(ranges[i], ranges[i - 1]);
        }
    }
    setThreads(0);
}

TEST(ThreadPoolShares, WhoIsDoneHelpsTheOthers) {
    setThreads(2);
    const auto caller = std::this_thread::get_id();
    std::atomic<int> byOthers = 0;
    std::atomic<bool> entered = false;
    parallelFor(80, 1, [&](int64_t, int64_t) {
        if (std::this_thread::get_id() != caller) {
            while (!entered) std::this_thread::yield();
            byOthers++;
            return;
        }
        // The caller stays in its first range until all the others are done.
        entered = true;
        while (byOthers < 7) std::this_thread::yield();
    });
    EXPECT_EQ(byOthers, 7);
    setThreads(0);
}

INSTANTIATE_TEST_SUITE_P(Threads, ThreadPool, testing::Values(1, 2, 5));

TEST(ThreadPoolCrew, DoesTheLoopsInPlaceOfItsOwnThreads) {
    setThreads(3);
    int called = 0;
    setCrew([&](int workers, const std::function<void()>& work) {
        EXPECT_EQ(workers, 3);
        called++;
        std::vector<std::jthread> others;
        for (int i = 1; i < workers; i++) others.emplace_back(work);
        work();
    });
    std::vector<int> seen(1000);
    parallelFor(1000, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) seen[i]++;
    });
    EXPECT_EQ(seen, std::vector<int>(1000, 1));
    EXPECT_THROW(parallelFor(100, 1, [](int64_t, int64_t) { throw std::runtime_error("no"); }), std::runtime_error);
    EXPECT_EQ(called, 2);
    setCrew({});
    parallelFor(1000, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) seen[i]++;
    });
    EXPECT_EQ(seen, std::vector<int>(1000, 2));
    EXPECT_EQ(called, 2);
    setThreads(0);
}

TEST(ThreadPoolSize, DefaultsToTheMachine) {
    setThreads(3);
    EXPECT_EQ(threads(), 3);
    setThreads(0);
    EXPECT_GE(threads(), 1);
}

}  // namespace
}  // namespace owq::kernels
