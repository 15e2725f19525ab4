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

}  // namespace owq::kernels
