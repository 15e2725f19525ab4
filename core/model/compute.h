// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace owq {

/// Threads of the dense products and of our own kernels; below 1: all cores. Call it in the thread that
/// computes, before the first product. The first call also keeps freed memory in the process: with large
/// tensors page faults cost more than arithmetic.
void setComputeThreads(int count);

}  // namespace owq
