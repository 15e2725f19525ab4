// SPDX-License-Identifier: Apache-2.0
#include "core/tune/tuning_data.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/text/corpus.h"
#include "core/text/documents.h"
#include "core/text/python_random.h"
#include "core/text/token_checks.h"

namespace owq {
namespace {

constexpr EncodeOptions kSpelled{.addSpecial = true, .matchSpecial = false};

class Reader {
public:
    Reader(const Tokenizer& tokenizer, int64_t length, int64_t vocabulary) : tokenizer_(tokenizer), length_(length), vocabulary_(vocabulary) {}

    void addText(const std::string& text, const std::string& place) {
        const std::vector<int32_t> ids = tokenizer_.encode(text, kSpelled);
        checkIds(ids, vocabulary_, place);
        for (size_t from = 0; from + 1 < ids.size(); from += size_t(length_)) {
            const size_t end = std::min(ids.size(), from + size_t(length_));
            if (end - from > 1) data.examples.push_back({{ids.begin() + ptrdiff_t(from), ids.begin() + ptrdiff_t(end)}, 1});
        }
    }

    void addPair(const std::string& prompt, const std::string& response, const std::string& place) {
        const std::vector<int32_t> before = tokenizer_.encode(prompt, kSpelled);
        TuningExample example{tokenizer_.encode(prompt + response, kSpelled), 0};
        const size_t both = std::min(before.size(), example.ids.size());
        example.first = std::mismatch(before.begin(), before.begin() + ptrdiff_t(both), example.ids.begin()).first - before.begin();
        example.first = std::max<int64_t>(1, example.first);
        if (tokenizer_.eos() >= 0) example.ids.push_back(tokenizer_.eos());
        checkIds(example.ids, vocabulary_, place);
        cut_ += int64_t(example.ids.size()) > length_;
        example.ids.resize(size_t(std::min<int64_t>(length_, int64_t(example.ids.size()))));
        if (example.scored() > 0)
            data.examples.push_back(std::move(example));
        else
            ++left_;
    }

    void finish(const std::string& where) {
        if (left_)
            data.warnings.push_back(std::to_string(left_) + " examples are left out: their prompts alone fill the " + std::to_string(length_) +
                                    " tokens of --sequence-length");
        if (cut_ > left_)
            data.warnings.push_back(std::to_string(cut_ - left_) + " responses are cut at the " + std::to_string(length_) +
                                    " tokens of --sequence-length");
        if (data.examples.empty())
            throw Error("there is not a single token to tune on", where,
                        "Give a text of at least two tokens, or JSON lines whose responses are not empty");
    }

    TuningData data;

private:
    const Tokenizer& tokenizer_;
    int64_t length_, vocabulary_, cut_ = 0, left_ = 0;
};

}  // namespace

int64_t TuningData::scored() const {
    int64_t sum = 0;
    for (const TuningExample& e : examples) sum += e.scored();
    return sum;
}

TuningData readTuningData(const std::filesystem::path& file, const Tokenizer& tokenizer, int64_t length, int64_t vocabulary) {
    const std::string where = file.string();
    if (length < 2) throw Error("the sequence length must be at least 2, not " + std::to_string(length));
    if (!std::filesystem::exists(file)) throw Error("no such file", where, "Give a text, or JSON lines");
    Reader reader(tokenizer, length, vocabulary);
    if (!isJsonLines(file)) {
        reader.addText(readDocuments(file).front(), where);
    } else {
        eachJsonLine(file, [&](const Json& object, const std::string& place) {
            if (object.is_object() && (object.contains("prompt") || object.contains("response")))
                reader.addPair(required<std::string>(object, "prompt", place), required<std::string>(object, "response", place), place);
            else if (object.is_object() && object.contains("text"))
                reader.addText(required<std::string>(object, "text", place), place);
            else
                throw Error("has neither \"text\" nor \"prompt\" and \"response\"", place, "Give each line one or the other");
            return true;
        });
    }
    reader.finish(where);
    return std::move(reader.data);
}

TuningData splitValidation(TuningData& data, double share, uint64_t seed) {
    TuningData validation;
    const int64_t all = int64_t(data.examples.size());
    if (all < 2 || share <= 0) return validation;
    const int64_t count = std::clamp<int64_t>(std::llround(share * double(all)), 1, all - 1);
    std::vector<int64_t> order = epochOrder(all, seed, -1);
    order.resize(size_t(count));
    std::sort(order.begin(), order.end());
    std::vector<TuningExample> kept;
    for (int64_t i = 0, next = 0; i < all; ++i) {
        const bool drawn = next < count && order[size_t(next)] == i;
        next += drawn;
        (drawn ? validation.examples : kept).push_back(std::move(data.examples[size_t(i)]));
    }
    data.examples = std::move(kept);
    return validation;
}

std::vector<int64_t> epochOrder(int64_t examples, uint64_t seed, int64_t epoch) {
    std::vector<int64_t> order(size_t(std::max<int64_t>(0, examples)));
    std::iota(order.begin(), order.end(), 0);
    PythonRandom random(seed * 1'000'003 + uint64_t(epoch + 1));
    for (int64_t i = examples - 1; i > 0; --i) std::swap(order[size_t(i)], order[size_t(random.randint(0, i))]);
    return order;
}

TuningBatch makeBatch(const std::vector<TuningExample>& examples, const std::vector<int64_t>& which) {
    TuningBatch batch;
    batch.rows = int64_t(which.size());
    for (const int64_t i : which) batch.length = std::max(batch.length, int64_t(examples[size_t(i)].ids.size()));
    batch.ids.assign(size_t(batch.rows * batch.length), 0);
    for (int64_t row = 0; row < batch.rows; ++row) {
        const TuningExample& e = examples[size_t(which[size_t(row)])];
        std::copy(e.ids.begin(), e.ids.end(), batch.ids.begin() + ptrdiff_t(row * batch.length));
        for (int64_t t = e.first; t < int64_t(e.ids.size()); ++t) {
            batch.positions.push_back(row * batch.length + t - 1);
            batch.targets.push_back(e.ids[size_t(t)]);
        }
    }
    return batch;
}

}  // namespace owq
