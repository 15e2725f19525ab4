// SPDX-License-Identifier: Apache-2.0
#include "kernels/cpu/quantize_table.h"

#include "kernels/cpu/features.h"

namespace owq::kernels {

const QuantizeTable& quantizeTable() {
    return instructionSet() >= InstructionSet::avx2 ? avx2::table : scalar::table;
}

}  // namespace owq::kernels
