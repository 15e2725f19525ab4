// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>

namespace owq::kernels {

/// Threads that parallelFor uses, the caller included. Default: the machine's cores. Not to be changed while one runs.
void setThreads(int count);
int threads();

/// Runs body(begin, end) over disjoint ranges that cover [0, count), at least `grain` items each (but the last),
/// and returns when all are done. The first exception thrown by a body is rethrown here.
/// Nested calls run in the calling thread. Which range a thread gets must not change any result.
void parallelFor(int64_t count, int64_t grain, const std::function<void(int64_t begin, int64_t end)>& body);

/// Runs work() in about `workers` threads, the caller among them, and returns when all have come back.
using Crew = std::function<void(int workers, const std::function<void()>& work)>;

/// Lends parallelFor the threads of another library in place of its own. Two sets of threads that take turns cost far more than
/// either alone: those that wait keep their cores for a while. Null: its own again. Not while a loop runs.
void setCrew(Crew crew);

}  // namespace owq::kernels
