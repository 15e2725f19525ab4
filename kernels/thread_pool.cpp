// SPDX-License-Identifier: Apache-2.0
#include "kernels/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace owq::kernels {
namespace {

using Body = std::function<void(int64_t, int64_t)>;

int cores() { return std::max(1, int(std::thread::hardware_concurrency())); }

thread_local bool insideLoop = false;

/// One parallelFor. Each thread has a share of neighbouring ranges, and the same one in each loop, where it can: what it has asked for
/// ahead, or has in its caches or its part of the memory, is its own. Who is done helps the others.
struct Loop {
    struct alignas(64) Share {
        std::atomic<int64_t> next{0};  ///< range
        int64_t end = 0;
        std::atomic<bool> taken{false};
    };

    Loop(const Body& body_, int64_t count_, int64_t range_, int workers) : body(body_), count(count_), range(range_), shares(size_t(workers)) {
        const int64_t ranges = (count + range - 1) / range;
        for (int w = 0; w < workers; w++) {
            shares[size_t(w)].next.store(ranges * w / workers, std::memory_order_relaxed);
            shares[size_t(w)].end = ranges * (w + 1) / workers;
        }
    }

    void work() {
        insideLoop = true;
        const size_t own = claim();
        for (size_t i = 0; i < shares.size(); i++) finish(shares[(own + i) % shares.size()]);
        insideLoop = false;
        leavers.fetch_add(1, std::memory_order_release);
    }

    const Body& body;
    const int64_t count, range;
    std::vector<Share> shares;
    std::atomic<int> leavers{0};  ///< written by each thread as it leaves, read by the caller: what it wrote is seen
    std::mutex failureMutex;
    std::exception_ptr failure;

private:
    size_t claim() {
        thread_local size_t place = arrivals.fetch_add(1, std::memory_order_relaxed);
        for (size_t i = 0; i < shares.size(); i++) {
            const size_t s = (place + i) % shares.size();
            if (!shares[s].taken.exchange(true, std::memory_order_relaxed)) return place = s;
        }
        return place % shares.size();
    }

    void finish(Share& share) {
        for (;;) {
            const int64_t at = share.next.fetch_add(1, std::memory_order_acq_rel);
            if (at >= share.end) return;
            try {
                body(at * range, std::min(count, (at + 1) * range));
            } catch (...) {
                for (Share& s : shares) s.next.store(s.end, std::memory_order_relaxed);
                const std::lock_guard lock(failureMutex);
                if (!failure) failure = std::current_exception();
            }
        }
    }

    static inline std::atomic<size_t> arrivals{0};
};

/// Helpers that sleep between loops. A helper that wakes too late for a loop simply misses it.
class Pool {
public:
    ~Pool() { resize(1); }

    int size() const { return size_.load(std::memory_order_relaxed); }

    void resize(int count) {
        const std::lock_guard user(userMutex_);
        {
            const std::lock_guard lock(mutex_);
            ending_ = true;
        }
        wake_.notify_all();
        helpers_.clear();  // joins
        ending_ = false;
        size_ = count;
    }

    void run(Loop& loop) {
        // A second thread that comes while the helpers are busy does its loop alone.
        const std::unique_lock user(userMutex_, std::try_to_lock);
        if (!user) {
            loop.work();
            return;
        }
        while (int(helpers_.size()) < size() - 1) helpers_.emplace_back([this] { help(); });
        {
            const std::lock_guard lock(mutex_);
            loop_ = &loop;
            generation_.fetch_add(1, std::memory_order_release);
        }
        wake_.notify_all();
        loop.work();
        {
            const std::lock_guard lock(mutex_);
            loop_ = nullptr;
        }
        // What the helpers have left takes no longer than a wake-up would.
        for (int i = 0; i < kSpins && active_.load(std::memory_order_acquire); i++) pause();
        std::unique_lock lock(mutex_);
        done_.wait(lock, [this] { return active_ == 0; });
    }

private:
    static constexpr int kSpins = 2000;

    void help() {
        uint64_t seen = 0;
        for (;;) {
            // Loops follow each other closely in a forward pass; a short spin saves the sleep and the wake-up.
            for (int i = 0; i < kSpins && generation_.load(std::memory_order_acquire) == seen; i++) pause();
            std::unique_lock lock(mutex_);
            wake_.wait(lock, [&] { return ending_ || (loop_ && generation_ != seen); });
            if (ending_) return;
            seen = generation_;
            Loop* loop = loop_;
            active_++;
            lock.unlock();
            loop->work();
            lock.lock();
            if (--active_ == 0) done_.notify_one();
        }
    }

    static void pause() {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
    }

    std::mutex userMutex_;  ///< held by the thread whose loop the helpers work on
    std::mutex mutex_;
    std::condition_variable wake_, done_;
    Loop* loop_ = nullptr;
    std::atomic<int> active_{0};  ///< written under mutex_
    bool ending_ = false;
    std::atomic<uint64_t> generation_{0};
    std::atomic<int> size_{cores()};
    std::vector<std::jthread> helpers_;
};

Pool& pool() {
    static Pool instance;
    return instance;
}

Crew& crew() {
    static Crew lent;
    return lent;
}

}  // namespace

void setThreads(int count) { pool().resize(count < 1 ? cores() : count); }

int threads() { return pool().size(); }

void setCrew(Crew lent) { crew() = std::move(lent); }

void parallelFor(int64_t count, int64_t grain, const Body& body) {
    if (count <= 0) return;
    grain = std::max<int64_t>(1, grain);
    const int workers = insideLoop ? 1 : threads();
    if (workers == 1 || count <= grain) {
        body(0, count);
        return;
    }
    // Some more ranges than threads, so that a thread the system took away holds nobody up for long.
    const int64_t pieces = int64_t(workers) * 4;
    Loop loop(body, count, std::max(grain, (count + pieces - 1) / pieces), workers);
    if (crew()) {
        loop.leavers.store(0, std::memory_order_release);
        crew()(workers, [&loop] { loop.work(); });
        loop.leavers.load(std::memory_order_acquire);
    } else {
        pool().run(loop);
    }
    if (loop.failure) std::rethrow_exception(loop.failure);
}

}  // namespace owq::kernels
