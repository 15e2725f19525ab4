// SPDX-License-Identifier: Apache-2.0
#include "kernels/attention.h"

#include <algorithm>

#include "kernels/cpu/dense_table.h"
#include "kernels/float_buffer.h"
#include "kernels/thread_pool.h"

namespace owq::kernels {
namespace {

constexpr int64_t kScores = 1 << 16;  ///< floats held at once: they stay in the second-level cache
constexpr int64_t kMostQueries = 48;
constexpr int64_t kValuesAtOnce = 64;       ///< rows that all queries of a head take from the first-level cache
constexpr int64_t kWorkPerRange = 1 << 16;  ///< products: below that waking a thread costs more than it saves

int64_t roundUp(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

/// Keys and values of one head of one window, as the inner loop reads them, and the scores of some queries.
class HeadRunner {
public:
    HeadRunner(const CausalAttention& a)
        : a_(a), table_(denseTable()), width_(table_.panel), height_(table_.rows), keys_(roundUp(a.tokens, width_)),
          queries_(std::clamp(kScores / keys_ / height_, int64_t(1), kMostQueries / height_) * height_),
          keyPanels_(keys_ * a.headSize), valuePanels_(keys_ * a.headSize), scores_(queries_ * keys_), rows_(width_ * a.headSize), zeros_(width_) {
        zeros_.clear();
    }

    void run(int64_t window, int64_t keyHead) {
        const int64_t row = a_.keyHeads * a_.headSize, shared = a_.heads / a_.keyHeads;
        const int64_t at = window * a_.tokens * row + keyHead * a_.headSize;
        packKeys(a_.key + at, row);
        packValues(a_.value + at, row);
        for (int64_t head = keyHead * shared; head < (keyHead + 1) * shared; ++head)
            for (int64_t first = 0; first < a_.tokens; first += queries_)
                someQueries(window * a_.tokens * a_.heads * a_.headSize + head * a_.headSize, first,
                            std::min(a_.tokens, first + queries_));
    }

private:
    /// [keys / width, headSize, width]; keys beyond the last are 0.
    void packKeys(const float* key, int64_t row) {
        float* to = keyPanels_.data();
        for (int64_t first = 0; first < keys_; first += width_) {
            const int64_t count = std::min(width_, a_.tokens - first);
            // Rows to one place first: read across, they would wait for memory at each step.
            for (int64_t k = 0; k < count; ++k) std::copy_n(key + (first + k) * row, a_.headSize, rows_.data() + k * a_.headSize);
            for (int64_t d = 0; d < a_.headSize; ++d, to += width_) {
                for (int64_t k = 0; k < count; ++k) to[k] = rows_.data()[k * a_.headSize + d];
                std::fill(to + count, to + width_, 0.f);
            }
        }
    }

    /// [headSize / width, keys, width]
    void packValues(const float* value, int64_t row) {
        for (int64_t d = 0; d < a_.headSize; d += width_)
            for (int64_t k = 0; k < keys_; ++k) {
                float* to = valuePanels_.data() + d * keys_ + k * width_;
                if (k < a_.tokens)
                    std::copy_n(value + k * row + d, width_, to);
                else
                    std::fill_n(to, width_, 0.f);
            }
    }

    void someQueries(int64_t at, int64_t first, int64_t end) {
        const int64_t row = a_.heads * a_.headSize;
        // Panels of keys outermost, so that one stays in the first-level cache for all queries.
        for (int64_t p = 0; p < end; p += width_)
            for (int64_t q = first; q < end; q += height_) {
                const int rows = int(std::min(height_, end - q));
                if (p >= q + rows) continue;
                table_.tile({a_.query + at + q * row, row, 1, keyPanels_.data() + p * a_.headSize, a_.headSize,
                             scores_.data() + (q - first) * keys_ + p, keys_, zeros_.data()},
                            rows);
            }
        float over[kMostQueries];
        for (int64_t q = first; q < end; ++q) {
            // A tile's rows share their last key; what lies beyond a row's own gets no weight.
            const int64_t tileEnd = std::min(end, first + (q - first) / height_ * height_ + height_);
            over[q - first] = 1 / table_.expRow(scores_.data() + (q - first) * keys_, q + 1, roundUp(tileEnd, width_), a_.scale);
        }
        for (int64_t d = 0; d < a_.headSize; d += width_)
            for (int64_t q = first; q < end; q += height_) {
                const int rows = int(std::min(height_, end - q));
                table_.tile({scores_.data() + (q - first) * keys_, keys_, 1, valuePanels_.data() + d * keys_, q + rows,
                             a_.out + at + q * row + d, row, zeros_.data()},
                            rows);
            }
        for (int64_t q = first; q < end; ++q)
            for (int64_t d = 0; d < a_.headSize; ++d) a_.out[at + q * row + d] *= over[q - first];
    }

    const CausalAttention& a_;
    const DenseTable& table_;
    const int64_t width_, height_, keys_, queries_;
    FloatBuffer keyPanels_, valuePanels_, scores_, rows_, zeros_;
};

}  // namespace

bool takesHeadSize(int64_t headSize) { return headSize > 0 && headSize % denseTable().panel == 0; }

void causalAttention(const CausalAttention& attention) {
    parallelFor(attention.windows * attention.keyHeads, 1, [&](int64_t begin, int64_t end) {
        HeadRunner runner(attention);
        for (int64_t i = begin; i < end; ++i) runner.run(i / attention.keyHeads, i % attention.keyHeads);
    });
}

void tokenAttention(const TokenAttention& a) {
    const DenseTable& table = denseTable();
    const int64_t size = a.headSize, shared = a.heads / a.keyHeads, row = roundUp(a.tokens, table.panel), bytes = bytesOf(a.type);
    parallelFor(a.keyHeads, kWorkPerRange / (a.tokens * size * shared) + 1, [&](int64_t begin, int64_t end) {
        FloatBuffer scores(shared * row);
        for (int64_t head = begin; head < end; ++head) {
            const uint8_t* const key = static_cast<const uint8_t*>(a.key) + head * a.apart * bytes;
            const uint8_t* const value = static_cast<const uint8_t*>(a.value) + head * a.apart * bytes;
            float* const out = a.out + head * shared * size;
            for (int64_t k = 0; k < a.tokens; k += 4)
                table.storedRows({key + k * size * bytes, 1, size, a.type, a.query + head * shared * size, shared, scores.data() + k, row},
                                 int(std::min<int64_t>(4, a.tokens - k)));
            std::fill_n(out, shared * size, 0.f);
            for (int64_t q = 0; q < shared; ++q) {
                float* const weights = scores.data() + q * row;
                const float over = 1 / table.expRow(weights, a.tokens, row, a.scale);
                for (int64_t k = 0; k < a.tokens; ++k) weights[k] *= over;
            }
            for (int64_t k = 0; k < a.tokens; k += kValuesAtOnce)
                for (int64_t q = 0; q < shared; q += 4)
                    table.weightedRows({scores.data() + q * row + k, row, value + k * size * bytes, a.type, std::min(kValuesAtOnce, a.tokens - k), size, out + q * size},
                                       int(std::min<int64_t>(4, shared - q)));
        }
    });
}

}  // namespace owq::kernels
