// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/threads.h"

#include <algorithm>
#include <thread>

#include "core/model/compute.h"
#include "kernels/thread_pool.h"

namespace owq {

void setThreads(int count) {
    const int n = count > 0 ? count : std::max(1, int(std::thread::hardware_concurrency()));
    kernels::setThreads(n);
    setComputeThreads(n);
}

int threads() { return kernels::threads(); }

}  // namespace owq
