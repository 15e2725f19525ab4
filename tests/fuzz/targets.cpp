// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/targets.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/budget/budget.h"
#include "core/checkpoint/pickle_reader.h"
#include "core/checkpoint/safetensors_header.h"
#include "core/checkpoint/shard_index.h"
#include "core/checkpoint/tensor_file.h"
#include "core/checkpoint/torch_pickle.h"
#include "core/checkpoint/zip_directory.h"
#include "core/evaluate/task.h"
#include "core/model/family.h"
#include "core/pack/packed_model.h"
#include "core/pack/task_file.h"
#include "core/store/run_directory.h"
#include "core/text/sentencepiece_tokenizer.h"
#include "core/text/tokenizer.h"
#include "tests/fuzz/input.h"
#include "tests/fuzz/statistics_script.h"

namespace owq::fuzz {
namespace {

using Bytes = std::span<const std::byte>;

template <class Read>
void orRefuse(const Read& read) {
    try {
        read();
    } catch (const Error&) {
    }
}

void demand(bool holds) {
    if (!holds) std::abort();
}

/// Views must lie in memory that can be read.
void touch(const Tensor& tensor) {
    volatile std::byte first{}, last{};
    if (!tensor.bytes()) return;
    first = tensor.data[0];
    last = tensor.data[tensor.bytes() - 1];
    (void)first, (void)last;
}

void readEveryTensor(const std::filesystem::path& file) {
    const auto tensors = openTensorFile(file);
    for (const TensorInfo& info : tensors->tensors()) orRefuse([&] { touch(tensors->read(info.name)); });
}

void safetensors(Bytes bytes) {
    orRefuse([&] { parseSafetensorsHeader(textOf(bytes), "input"); });
    orRefuse([&] { readEveryTensor(written("model.safetensors", bytes)); });
}

void index(Bytes bytes) {
    orRefuse([&] { readShardIndex(written("model.safetensors.index.json", bytes)); });
}

void pickle(Bytes bytes) {
    orRefuse([&] {
        const PickleGraph graph = readPickle(bytes, "input");
        demand(graph.root < graph.nodes.size());
        for (const Node& node : graph.nodes)
            for (const NodeId item : node.items) demand(item < graph.nodes.size());
    });
}

void zip(Bytes bytes) {
    orRefuse([&] {
        for (const auto& [name, entry] : readZipDirectory(bytes, "input")) {
            demand(entry.data() >= bytes.data() && entry.data() + entry.size() <= bytes.data() + bytes.size());
            demand(name.size() <= bytes.size());
        }
    });
}

void torch(Bytes bytes) {
    const auto file = written("model.bin", bytes);
    orRefuse([&] { readEveryTensor(file); });
    orRefuse([&] { readTorchFile(file); });
}

void config(Bytes bytes) {
    orRefuse([&] {
        const ModelConfig model = parseModelConfig(parseJson(textOf(bytes), "input"), "input");
        demand(model.family && model.blocks > 0 && model.hidden > 0 && model.heads % model.keyValueHeads == 0);
        demand(model.windows.empty() || model.windows.size() == size_t(model.blocks));
        const ShapeLookup find = [](const std::string& name) -> std::optional<TensorShape> {
            if (name.ends_with(".weight")) return TensorShape{DType::f16, {8, 8}};
            return TensorShape{DType::f16, {8}};
        };
        buildModelInfo(model, resolveNames(model, find, "input"), find, "input");
    });
}

void tokenize(const std::shared_ptr<const Tokenizer>& tokenizer) {
    static const char* const kTexts[] = {"", " Hello  world\n\n1234 \xc3\xa9\xe4\xb8\x96 e\xcc\x81 </s><s>\t", "\xff\xfe a \xf0\x9f\x98\x80"};
    for (const char* text : kTexts)
        orRefuse([&] {
            const std::vector<int32_t> ids = tokenizer->encode(text);
            for (const int32_t id : ids) {
                demand(id >= 0 && id < tokenizer->size());
                tokenizer->piece(id);
            }
            tokenizer->decode(ids);
            tokenizer->decode(ids, true);
        });
}

void tokenizerJson(Bytes bytes) {
    orRefuse([&] { tokenize(openTokenizer(written("tokenizer.json", bytes))); });
}

void tokenizerModel(Bytes bytes) {
    const auto file = written("tokenizer.model", bytes);
    orRefuse([&] { tokenize(openTokenizer(file)); });
    orRefuse([&] { tokenize(openSentencePiece(file, SentencePieceRules::fast)); });
}

void budget(Bytes bytes) {
    static const ModelInfo model = [] {
        ModelInfo info;
        for (const char* name : {"a", "b"}) {
            LinearInfo linear;
            linear.name = name;
            linear.rows = 8;
            linear.columns = 16;
            info.linears.push_back(linear);
        }
        return info;
    }();
    orRefuse([&] {
        const BudgetPlan plan = budgetFromJson(parseJson(textOf(bytes), "input"), model, "input");
        demand(plan.linears.size() == 2);
        plannedFileBytes(model, plan);
    });
}

/// recipe.json, a zero byte, journal.jsonl.
void run(Bytes bytes) {
    const auto end = std::find(bytes.begin(), bytes.end(), std::byte{0});
    const size_t recipe = size_t(end - bytes.begin());
    written("recipe.json", bytes.first(recipe));
    written("journal.jsonl", bytes.subspan(std::min(bytes.size(), recipe + 1)));
    isRunDirectory(folder());
    orRefuse([&] { findModel(folder(), readRunState(folder())); });
}

/// Questions as lines of JSON and as a table.
void questions(Bytes bytes) {
    for (const char* name : {"tasks.jsonl", "tasks_test.csv"}) {
        const auto file = written(name, bytes);
        orRefuse([&] {
            for (const EvaluationTask& task : readTasks(file)) {
                for (const TaskItem& item : task.items) {
                    demand(!item.choices.empty() && item.choices.size() == item.lengths.size());
                    demand(item.answer >= 0 && item.answer < int64_t(item.choices.size()));
                    demand(item.contexts.empty() || item.contexts.size() == item.choices.size());
                }
                taskPrompts(task, nullptr, {.shots = 0});
                taskPrompts(task, &task, {.shots = int64_t(task.items.size()), .limit = 3});
            }
        });
    }
}

/// quantization_config of a GPTQ checkpoint, a zero byte, and the group of each of the 64 columns of its one linear.
void gptq(Bytes bytes) {
    const auto end = std::find(bytes.begin(), bytes.end(), std::byte{0});
    const size_t config = size_t(end - bytes.begin());
    std::vector<int32_t> groupOf(64);
    const Bytes groups = bytes.subspan(std::min(bytes.size(), config + 1));
    for (size_t c = 0; c < groupOf.size(); ++c) groupOf[c] = c < groups.size() ? int32_t(int8_t(groups[c])) : int32_t(c / 32);
    orRefuse([&] {
        static const std::vector<int32_t> kCodes(8 * 32, 0x76543210), kZeros(2 * 4, 0x77777777);
        const Json quantization = parseJson(textOf(bytes.first(config)), "input");
        const std::string text = Json{{"model_type", "llama"}, {"quantization_config", quantization}}.dump();
        written("config.json", std::as_bytes(std::span(text)));
        writeSafetensors(folder() / "model.safetensors", {{"a.qweight", Tensor::i32({8, 32}, kCodes)},
                                                          {"a.qzeros", Tensor::i32({2, 4}, kZeros)},
                                                          {"a.scales", Tensor::rounded(DType::f16, {2, 32}, std::vector<float>(64, 0.5f))},
                                                          {"a.g_idx", Tensor::i32({64}, groupOf)}});
        const auto model = PackedModel::open(folder());
        for (const LinearShape& s : model->linears()) demand(int64_t(model->linear(s.name).codes.size()) == s.rows * s.columns);
        for (const TensorInfo& t : model->tensors()) touch(model->tensor(t.name));
    });
}

void statistics(Bytes bytes) {
    orRefuse([&] { readScriptedStatistics(bytes); });
}

void task(Bytes bytes) {
    const auto file = written("task.safetensors", bytes);
    orRefuse([&] {
        for (const auto& [name, linear] : readTask(file).linears)
            demand(!linear.columns.empty() && linear.weight.size() == size_t(linear.rows) * linear.columns.size());
    });
}

constexpr std::array<Target, 14> kTargets{{
    {"safetensors", "safetensors", nullptr, safetensors},
    {"index", "model_dir", "model.safetensors.index.json", index},
    {"pickle", nullptr, nullptr, pickle},
    {"zip", "pickle", nullptr, zip},
    {"torch", "pickle", nullptr, torch},
    {"config", "model_dir", "config.json", config},
    {"tokenizer_json", "tokenizer_json", nullptr, tokenizerJson},
    {"tokenizer_model", "sp_model", nullptr, tokenizerModel},
    {"budget", nullptr, nullptr, budget},
    {"run", nullptr, nullptr, run},
    {"statistics", nullptr, nullptr, statistics},
    {"task", "safetensors", nullptr, task},
    {"questions", nullptr, nullptr, questions},
    {"gptq", nullptr, nullptr, gptq},
}};

}  // namespace

std::span<const Target> targets() { return kTargets; }

}  // namespace owq::fuzz
