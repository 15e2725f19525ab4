// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/dense_table.h"

#include "kernels/cpu/features.h"

namespace owq::kernels {

const DenseTable& denseTable() {
    switch (instructionSet()) {
        case InstructionSet::amx:
        case InstructionSet::vnni:
        case InstructionSet::avx512:
            return avx512::denseTable;
        case InstructionSet::avx2:
            return avx2::denseTable;
        case InstructionSet::scalar:
            break;
    }
    return scalar::denseTable;
}

}  // namespace owq::kernels
