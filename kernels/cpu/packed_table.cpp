// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/packed_table.h"

#include "kernels/cpu/features.h"

namespace owq::kernels {

const PackedTable& packedTable() {
    switch (instructionSet()) {
        case InstructionSet::vnni:
            return vnni::packedTable;
        case InstructionSet::avx512:
        case InstructionSet::avx2:
            return avx2::packedTable;
        case InstructionSet::scalar:
            break;
    }
    return scalar::packedTable;
}

}  // namespace owq::kernels
