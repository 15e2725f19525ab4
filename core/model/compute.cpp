// SPDX-License-Identifier: Apache-2.0
#include "core/model/compute.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <mutex>
#include <thread>

#include "core/base/memory.h"
#include "kernels/thread_pool.h"

namespace owq {

void setComputeThreads(int count) {
    if (count < 1) count = std::max(1, int(std::thread::hardware_concurrency()));
    static std::once_flag once;
    std::call_once(once, [] {
        tuneAllocator();
        at::set_num_interop_threads(1);
        kernels::setCrew([](int workers, const std::function<void()>& work) {
            at::parallel_for(0, workers, 1, [&](int64_t begin, int64_t end) {
                // Fewer threads than asked for: the first of their ranges does all the work.
                if (begin < end) work();
            });
        });
    });
    at::set_num_threads(count);
    kernels::setThreads(count);
}

}  // namespace owq
