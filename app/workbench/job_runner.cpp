// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/job_runner.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <algorithm>
#include <exception>
#include <new>

#include "core/base/error.h"

namespace owq {

struct JobRunner::Job {
    Task task;
    std::function<std::function<void()>(Context&)> work;
    std::function<void(const Failure&)> failed;
    std::function<void()> cancelled;
    std::stop_source stop;

    // GUI thread
    JobRow row;
    bool dropped = false;
    QElapsedTimer clock;

    // Reports come faster than a window can show: only the newest waits, and one event at most is on its way.
    std::mutex mutex;
    ProgressUpdate latest;
    bool underWay = false;
};

namespace {

Failure describe(std::exception_ptr thrown) {
    try {
        std::rethrow_exception(thrown);
    } catch (const Error& e) {
        return {QString::fromStdString(e.happened()), QString::fromStdString(e.where()),
                QString::fromStdString(e.remedy())};
    } catch (const std::bad_alloc&) {
        return {QObject::tr("There is not enough memory for this"),
                {},
                QObject::tr("Close other programs, or use fewer samples or shorter windows.")};
    } catch (const std::exception& e) {
        return {QObject::tr("The job failed"), QString::fromUtf8(e.what()),
                QObject::tr("This was not expected; the details help when reporting it.")};
    } catch (...) {
        return {QObject::tr("The job failed"), {}, QObject::tr("This was not expected.")};
    }
}

}  // namespace

JobRunner::JobRunner(QObject* parent) : QObject(parent) {
    for (LaneState& lane : lanes_)
        lane.thread = std::jthread([this, &lane](std::stop_token quit) { runLane(lane, quit); });
}

JobRunner::~JobRunner() {
    shutDown();
}

void JobRunner::shutDown() {
    if (closed_) return;
    closed_ = true;
    for (const auto& job : jobs_) job->stop.request_stop();
    for (LaneState& lane : lanes_) {
        {
            const std::lock_guard lock(lane.mutex);
            lane.queue.clear();
        }
        lane.thread.request_stop();
    }
    for (LaneState& lane : lanes_) lane.thread.join();
    QCoreApplication::removePostedEvents(this);
    jobs_.clear();
}

quint64 JobRunner::enqueue(Task task, std::function<std::function<void()>(Context&)> work,
                           std::function<void(const Failure&)> failed, std::function<void()> cancelled) {
    if (closed_) return 0;
    if (!task.key.isEmpty())
        for (const auto& old : QHash(jobs_)) {
            if (old->task.key != task.key) continue;
            old->dropped = true;
            cancel(old->row.id);
        }
    auto job = std::make_shared<Job>();
    job->task = std::move(task);
    job->work = std::move(work);
    job->failed = std::move(failed);
    job->cancelled = std::move(cancelled);
    job->row.id = next_++;
    job->row.title = job->task.title;
    job->clock.start();
    jobs_.insert(job->row.id, job);
    publish(*job);
    LaneState& lane = lanes_[size_t(job->task.lane)];
    {
        const std::lock_guard lock(lane.mutex);
        lane.queue.push_back(job);
    }
    lane.wake.notify_one();
    tellComputing();
    return job->row.id;
}

void JobRunner::cancel(quint64 id) {
    const auto job = jobs_.value(id);
    if (!job) return;
    job->stop.request_stop();
    LaneState& lane = lanes_[size_t(job->task.lane)];
    bool waiting = false;
    {
        const std::lock_guard lock(lane.mutex);
        waiting = std::erase(lane.queue, job) > 0;
    }
    if (waiting) return finish(job, JobRow::State::cancelled, {}, {});
    job->row.state = JobRow::State::stopping;
    publish(*job);
}

bool JobRunner::computing() const {
    return currentComputing() != 0;
}

quint64 JobRunner::currentComputing() const {
    quint64 first = 0;
    for (const auto& job : jobs_)
        if (job->task.lane == Lane::compute && job->task.listed && (first == 0 || job->row.id < first))
            first = job->row.id;
    return first;
}

void JobRunner::runLane(LaneState& lane, std::stop_token quit) {
    while (!quit.stop_requested()) {
        std::shared_ptr<Job> job;
        {
            std::unique_lock lock(lane.mutex);
            if (!lane.wake.wait(lock, quit, [&lane] { return !lane.queue.empty(); })) return;
            job = lane.queue.front();
            lane.queue.pop_front();
        }
        runJob(job);
    }
}

void JobRunner::runJob(const std::shared_ptr<Job>& job) {
    toGui([this, job] {
        if (job->row.state == JobRow::State::queued) job->row.state = JobRow::State::running;
        job->clock.restart();
        publish(*job);
    });
    Progress progress([this, job](const ProgressUpdate& update) {
        const std::lock_guard lock(job->mutex);
        job->latest = update;
        if (std::exchange(job->underWay, true)) return;
        toGui([this, job] {
            ProgressUpdate latest;
            {
                const std::lock_guard lock(job->mutex);
                job->underWay = false;
                latest = job->latest;
            }
            job->row.phase = QString::fromStdString(latest.phase);
            job->row.item = QString::fromStdString(latest.item);
            job->row.fraction = std::clamp(latest.fraction, 0.0, 1.0);
            job->row.elapsed = latest.secondsElapsed;
            job->row.left = latest.secondsLeft;
            publish(*job);
        });
    });
    Context context{progress, job->stop.get_token(), [this, job](std::function<void()> step) {
                        toGui([job, step = std::move(step)] {
                            if (!job->dropped) step();
                        });
                    }};
    std::function<void()> deliver;
    Failure failure;
    auto state = JobRow::State::done;
    try {
        deliver = job->work(context);
    } catch (const Cancelled&) {
        state = JobRow::State::cancelled;
    } catch (...) {
        // A stop may surface as any error of a library on the way out.
        state = job->stop.stop_requested() ? JobRow::State::cancelled : JobRow::State::failed;
        failure = describe(std::current_exception());
    }
    toGui([this, job, state, deliver, failure] { finish(job, state, deliver, failure); });
}

void JobRunner::toGui(std::function<void()> step) {
    QMetaObject::invokeMethod(
        this,
        [this, step = std::move(step)] {
            try {
                step();
            } catch (...) {  // an exception that leaves an event handler would end the program
                Q_EMIT failed(describe(std::current_exception()), {});
            }
        },
        Qt::QueuedConnection);
}

void JobRunner::publish(Job& job) {
    if (job.task.listed) Q_EMIT jobChanged(job.row);
}

void JobRunner::finish(const std::shared_ptr<Job>& job, JobRow::State state,
                       const std::function<void()>& deliver, const Failure& failure) {
    jobs_.remove(job->row.id);
    job->row.state = state;
    job->row.elapsed = double(job->clock.elapsed()) / 1000;
    switch (state) {
        case JobRow::State::done:
            job->row.fraction = 1;
            job->row.outcome = tr("Done");
            break;
        case JobRow::State::cancelled:
            job->row.outcome = tr("Cancelled");
            break;
        default:
            job->row.outcome = failure.happened;
    }
    publish(*job);
    tellComputing();
    if (job->dropped) return;
    if (state == JobRow::State::done)
        deliver();
    else if (state == JobRow::State::cancelled && job->cancelled)
        job->cancelled();
    else if (state == JobRow::State::failed && job->failed)
        job->failed(failure);
    else if (state == JobRow::State::failed)
        Q_EMIT failed(failure, job->task.title);
}

void JobRunner::tellComputing() {
    const bool now = computing();
    if (std::exchange(wasComputing_, now) != now) Q_EMIT computingChanged(now);
}

}  // namespace owq
