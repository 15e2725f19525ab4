// SPDX-License-Identifier: Apache-2.0
#include "app/workbench/job_runner.h"

#include <gtest/gtest.h>

#include <QSignalSpy>
#include <QTest>
#include <QThread>
#include <atomic>
#include <chrono>
#include <new>
#include <thread>

#include "core/base/error.h"

namespace owq {
namespace {

using Context = JobRunner::Context;
constexpr int kWait = 5000;

bool waitFor(const std::function<bool()>& condition) {
    return QTest::qWaitFor(condition, kWait);
}

/// Works until it is told to stop.
int untilStopped(Context& context) {
    while (true) {
        checkStop(context.stop);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

TEST(JobRunner, BringsResultsAndPartsToTheGuiThreadInOrder) {
    JobRunner runner;
    std::vector<int> seen;
    std::thread::id worker;
    runner.submit<int>(
        {QStringLiteral("count"), JobRunner::Lane::compute, {}},
        [&](Context& context) {
            worker = std::this_thread::get_id();
            for (int i = 0; i < 3; ++i) context.post([&seen, i] { seen.push_back(i); });
            return 3;
        },
        [&](const int& result) {
            EXPECT_EQ(QThread::currentThread(), runner.thread());
            seen.push_back(result);
        });
    ASSERT_TRUE(waitFor([&] { return seen.size() == 4; }));
    EXPECT_EQ(seen, std::vector<int>({0, 1, 2, 3}));
    EXPECT_NE(worker, std::this_thread::get_id());
}

TEST(JobRunner, ReadsWhileItComputes) {
    JobRunner runner;
    const quint64 long_ = runner.submit<int>({QStringLiteral("long"), JobRunner::Lane::compute, {}},
                                             untilStopped, [](const int&) {});
    bool read = false;
    runner.submit<int>(
        {QStringLiteral("read"), JobRunner::Lane::reading, {}}, [](Context&) { return 1; },
        [&](const int&) { read = true; });
    EXPECT_TRUE(waitFor([&] { return read; }));
    EXPECT_TRUE(runner.computing());
    runner.cancel(long_);
    EXPECT_TRUE(waitFor([&] { return !runner.computing(); }));
}

TEST(JobRunner, OneComputeJobAtATimeInOrderOfSubmission) {
    JobRunner runner;
    std::atomic<int> running{0}, most{0};
    std::vector<int> order;
    for (int i = 0; i < 4; ++i)
        runner.submit<int>(
            {QStringLiteral("job"), JobRunner::Lane::compute, {}},
            [&, i](Context&) {
                most = std::max(most.load(), ++running);
                std::this_thread::sleep_for(std::chrono::milliseconds(2));
                --running;
                return i;
            },
            [&](const int& i) { order.push_back(i); });
    ASSERT_TRUE(waitFor([&] { return order.size() == 4; }));
    EXPECT_EQ(most, 1);
    EXPECT_EQ(order, std::vector<int>({0, 1, 2, 3}));
}

TEST(JobRunner, CancelsRunningAndWaitingJobsAndDeliversNothing) {
    JobRunner runner;
    std::vector<JobRow> rows;
    QObject::connect(&runner, &JobRunner::jobChanged, [&](const JobRow& row) { rows.push_back(row); });
    bool delivered = false, told = false;
    const auto done = [&](const int&) { delivered = true; };
    const quint64 first = runner.submit<int>({QStringLiteral("first"), JobRunner::Lane::compute, {}},
                                             untilStopped, done, {}, [&] { told = true; });
    const quint64 second =
        runner.submit<int>({QStringLiteral("second"), JobRunner::Lane::compute, {}}, untilStopped, done);
    ASSERT_TRUE(waitFor([&] { return !rows.empty() && rows.back().state == JobRow::State::running; }));
    EXPECT_EQ(runner.currentComputing(), first);
    runner.cancel(second);
    EXPECT_EQ(rows.back().id, second);
    EXPECT_EQ(rows.back().state, JobRow::State::cancelled) << "a waiting job ends at once";
    runner.cancel(first);
    EXPECT_EQ(rows.back().state, JobRow::State::stopping);
    ASSERT_TRUE(waitFor([&] { return told; }));
    EXPECT_EQ(rows.back().state, JobRow::State::cancelled);
    EXPECT_FALSE(delivered);
}

TEST(JobRunner, DropsWhatANewerJobOfTheSameKeyMakesStale) {
    JobRunner runner;
    std::vector<int> results;
    int stale = 0;
    std::atomic<bool> started{false};
    runner.submit<int>(
        {QStringLiteral("old"), JobRunner::Lane::reading, QStringLiteral("open")},
        [&](Context& context) {
            started = true;
            while (!context.stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
            context.post([&] { ++stale; });
            return 1;  // finishes all the same
        },
        [&](const int& r) { results.push_back(r); });
    ASSERT_TRUE(waitFor([&] { return started.load(); }));
    runner.submit<int>(
        {QStringLiteral("new"), JobRunner::Lane::reading, QStringLiteral("open")}, [](Context&) { return 2; },
        [&](const int& r) { results.push_back(r); });
    ASSERT_TRUE(waitFor([&] { return !results.empty(); }));
    EXPECT_EQ(results, std::vector<int>({2}));
    EXPECT_EQ(stale, 0);
}

TEST(JobRunner, TurnsWhatIsThrownIntoCauseAndRemedy) {
    JobRunner runner;
    std::vector<Failure> failures;
    const auto failing = [&](auto thrower) {
        const size_t before = failures.size();
        runner.submit<int>(
            {QStringLiteral("bad"), JobRunner::Lane::compute, {}},
            [thrower](Context&) -> int {
                thrower();
                return 0;
            },
            [](const int&) { FAIL() << "nothing to deliver"; },
            [&](const Failure& f) { failures.push_back(f); });
        ASSERT_TRUE(waitFor([&] { return failures.size() == before + 1; }));
    };
    failing([] { throw Error("not finite", "layer 3", "check the text"); });
    failing([] { throw std::bad_alloc(); });
    failing([] { throw std::runtime_error("inner text"); });
    failing([] { throw 7; });
    EXPECT_EQ(failures[0].happened, "not finite");
    EXPECT_EQ(failures[0].where, "layer 3");
    EXPECT_EQ(failures[0].remedy, "check the text");
    EXPECT_TRUE(failures[1].happened.contains("memory"));
    EXPECT_EQ(failures[2].where, "inner text");
    EXPECT_FALSE(failures[3].happened.isEmpty());
}

TEST(JobRunner, SurvivesAnExceptionInAHandler) {
    JobRunner runner;
    std::vector<QString> failures;
    QObject::connect(&runner, &JobRunner::failed,
                     [&](const Failure& f, const QString&) { failures.push_back(f.happened); });
    runner.submit<int>(
        {QStringLiteral("fine"), JobRunner::Lane::compute, {}}, [](Context&) { return 1; },
        [](const int&) { throw Error("the handler failed"); });
    ASSERT_TRUE(waitFor([&] { return !failures.empty(); }));
    EXPECT_EQ(failures.front(), "the handler failed");
}

TEST(JobRunner, ReportsProgressWithoutFloodingTheWindow) {
    JobRunner runner;
    int shown = 0;
    JobRow last;
    QObject::connect(&runner, &JobRunner::jobChanged, [&](const JobRow& row) {
        ++shown;
        last = row;
    });
    constexpr int kReports = 20000;
    bool done = false;
    runner.submit<int>(
        {QStringLiteral("chatty"), JobRunner::Lane::compute, {}},
        [](Context& context) {
            for (int i = 0; i < kReports; ++i)
                context.progress.report("Counting", std::to_string(i), double(i) / kReports);
            return 0;
        },
        [&](const int&) { done = true; });
    ASSERT_TRUE(waitFor([&] { return done; }));
    EXPECT_LT(shown, kReports / 2);
    EXPECT_EQ(last.state, JobRow::State::done);
    EXPECT_EQ(last.phase, "Counting");
    EXPECT_EQ(last.item, QString::number(kReports - 1));
}

TEST(JobRunner, ShutsDownWhileJobsRunAndDeliversNothingAfterwards) {
    bool delivered = false;
    {
        JobRunner runner;
        std::atomic<bool> started{false};
        runner.submit<int>(
            {QStringLiteral("long"), JobRunner::Lane::compute, {}},
            [&](Context& context) {
                started = true;
                return untilStopped(context);
            },
            [&](const int&) { delivered = true; }, {}, [&] { delivered = true; });
        runner.submit<int>(
            {QStringLiteral("waiting"), JobRunner::Lane::compute, {}}, [](Context&) { return 1; },
            [&](const int&) { delivered = true; });
        ASSERT_TRUE(waitFor([&] { return started.load(); }));
        runner.shutDown();
        EXPECT_EQ(runner.submit<int>(
                      {QStringLiteral("late"), JobRunner::Lane::compute, {}}, [](Context&) { return 1; },
                      [](const int&) {}),
                  0u);
    }
    QCoreApplication::processEvents();
    EXPECT_FALSE(delivered);
}

}  // namespace
}  // namespace owq
