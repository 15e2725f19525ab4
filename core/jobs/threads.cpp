// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/threads.h"

#include "core/model/compute.h"
#include "kernels/thread_pool.h"

namespace owq {

void setThreads(int count) { setComputeThreads(count); }

int threads() { return kernels::threads(); }

}  // namespace owq
