// SPDX-License-Identifier: GPL-3.0-or-later
// The only place where jobs meet Qt. Jobs run on two long-lived threads: one for computing (it alone uses
// LibTorch), one for short reading, so that a model can be opened while another is quantized. Everything
// comes back to the GUI thread.
#pragma once
#include <QHash>
#include <QObject>
#include <array>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include "core/base/progress.h"
#include "widgets/jobs/job_row.h"

namespace owq {

/// What went wrong, for a person: what happened, where, what to do.
struct Failure {
    QString happened, where, remedy;
};

class JobRunner : public QObject {
    Q_OBJECT
public:
    enum class Lane { compute, reading };

    struct Task {
        QString title;
        Lane lane = Lane::compute;
        /// A new task stops an older one of the same key and drops what that one still brings. Empty:
        /// independent.
        QString key;
        bool listed = true;  ///< false: too short to be shown in the list of jobs
    };

    /// What a job's function gets, in the job's thread.
    class Context {
    public:
        Progress& progress;
        std::stop_token stop;
        /// Runs `step` in the GUI thread, in order, unless the job was dropped meanwhile.
        std::function<void(std::function<void()> step)> post;
    };

    explicit JobRunner(QObject* parent = nullptr);
    ~JobRunner() override;

    /// `done` and `failed` run in the GUI thread; neither runs for a job that was cancelled or dropped (then
    /// `cancelled` does for a cancelled one). Whatever is thrown inside `work` ends at this edge.
    template <class Result>
    quint64 submit(Task task, std::function<Result(Context&)> work, std::function<void(const Result&)> done,
                   std::function<void(const Failure&)> failed = {}, std::function<void()> cancelled = {}) {
        return enqueue(
            std::move(task),
            [work = std::move(work), done = std::move(done)](Context& context) -> std::function<void()> {
                auto result = std::make_shared<const Result>(work(context));
                return [result, done] { done(*result); };
            },
            std::move(failed), std::move(cancelled));
    }

    void cancel(quint64 id);
    bool computing() const;            ///< something listed runs or waits on the compute thread
    quint64 currentComputing() const;  ///< id of the listed compute job that runs or is next, 0 when none

    /// Stops everything and joins the threads; nothing is delivered after it. Called by the destructor too.
    void shutDown();

Q_SIGNALS:
    void jobChanged(const owq::JobRow& row);  ///< added, progressed or ended; listed jobs only
    void failed(const owq::Failure& failure,
                const QString& title);  ///< of any job without a `failed` of its own
    void computingChanged(bool computing);

private:
    struct Job;
    struct LaneState {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::deque<std::shared_ptr<Job>> queue;
        std::jthread thread;
    };

    quint64 enqueue(Task task, std::function<std::function<void()>(Context&)> work,
                    std::function<void(const Failure&)> failed, std::function<void()> cancelled);
    void runLane(LaneState& lane, std::stop_token quit);
    void runJob(const std::shared_ptr<Job>& job);
    void toGui(std::function<void()> step);
    void publish(Job& job);
    void finish(const std::shared_ptr<Job>& job, JobRow::State state, const std::function<void()>& deliver,
                const Failure& failure);
    void tellComputing();

    std::array<LaneState, 2> lanes_;
    QHash<quint64, std::shared_ptr<Job>> jobs_;  // live ones; GUI thread only
    quint64 next_ = 1;
    bool wasComputing_ = false;
    bool closed_ = false;
};

}  // namespace owq
