// SPDX-License-Identifier: Apache-2.0
#include "kernels/stored_matrix.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/dense_table.h"
#include "kernels/thread_pool.h"

namespace owq::kernels {
namespace {

constexpr int64_t kWorkPerRange = 1 << 17;  ///< values times tokens: below that waking a thread costs more than it saves
constexpr int64_t kStreams = 4;             ///< a processor reads some streams at once faster than one

int64_t atLeastOne(int64_t count) { return std::max<int64_t>(1, count); }

}  // namespace

int64_t StoredMatrix::streamRows() const { return (rows_ + kStreams - 1) / kStreams; }

const uint8_t* StoredMatrix::row(int64_t r) const { return reinterpret_cast<const uint8_t*>(values_.data()) + r * columns_ * bytesOf(type_); }

StoredMatrix::StoredMatrix(const void* values, StoredType type, int64_t rows, int64_t columns)
    : type_(type), rows_(rows), columns_(columns), values_(FloatBuffer::lasting((rows * columns * bytesOf(type) + 3) / int64_t(sizeof(float)))) {
    const int64_t bytes = columns * bytesOf(type);
    // By all threads: where a machine has several memories, the rows are spread over them, as the threads that will read them are.
    parallelFor(streamRows(), atLeastOne(kWorkPerRange / (kStreams * columns + 1)), [&](int64_t begin, int64_t end) {
        for (int64_t s = 0; s < kStreams; s++) {
            const int64_t first = s * streamRows() + begin, last = std::min(rows, s * streamRows() + end);
            if (first < last)
                std::memcpy(const_cast<uint8_t*>(row(first)), static_cast<const uint8_t*>(values) + first * bytes, size_t((last - first) * bytes));
        }
    });
}

void StoredMatrix::multiply(const float* x, int64_t batch, float* y) const {
    const DenseTable& table = denseTable();
    const int64_t apart = streamRows();
    parallelFor(apart, atLeastOne(kWorkPerRange / (kStreams * columns_ * batch + 1)), [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; r++) {
            const int64_t streams = (rows_ - r + apart - 1) / apart;
            table.storedRows({row(r), apart, columns_, type_, x, batch, y + r, rows_}, int(streams));
        }
    });
}

void StoredMatrix::widenRows(int64_t begin, int64_t end, float* out) const {
    parallelFor(end - begin, atLeastOne(kWorkPerRange / (columns_ + 1)), [&](int64_t from, int64_t to) {
        for (int64_t i = from; i < to; i++) denseTable().widen(row(begin + i), type_, columns_, out + i * columns_);
    });
}

}  // namespace owq::kernels
