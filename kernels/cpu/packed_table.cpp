// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/packed_table.h"

#include "kernels/cpu/features.h"

namespace owq::kernels {

const PackedTable& packedTable() { return instructionSet() >= InstructionSet::avx2 ? avx2::packedTable : scalar::packedTable; }

}  // namespace owq::kernels
