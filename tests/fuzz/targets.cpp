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
#include "core/model/family.h"
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

constexpr std::array<Target, 12> kTargets{{
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
}};

}  // namespace

std::span<const Target> targets() { return kTargets; }

}  // namespace owq::fuzz
