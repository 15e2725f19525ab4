// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace owq::kernels {

/// What the processor can do beyond plain x86-64, worst first. A kernel takes the best form it has up to this.
/// avx2: with FMA and F16C; avx512: AVX-512 F beside it; vnni: BW, VL and VNNI beside that; amx: AMX's tiles of 8-bit numbers beside these.
enum class InstructionSet { scalar, avx2, avx512, vnni, amx };
constexpr InstructionSet kBestInstructionSet = InstructionSet::amx;

/// The best one of this machine, or the limit where one was set.
InstructionSet instructionSet();
/// For tests and comparisons: use nothing beyond `limit`.
void limitInstructionSet(InstructionSet limit);

}  // namespace owq::kernels
