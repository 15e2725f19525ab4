// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace owq {

/// Threads for LibTorch and the kernels alike; 0: all cores. Call it in the thread that computes, before its first job.
void setThreads(int count);
int threads();

}  // namespace owq
