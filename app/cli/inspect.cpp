// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/inspect.h"

#include <iostream>

#include "app/cli/command.h"
#include "app/cli/format.h"
#include "app/cli/progress_line.h"
#include "app/cli/table.h"

namespace owq::cli {
namespace {

void printModel(const InspectResult& result) {
    const ModelInfo& info = result.info;
    Table facts = Table::facts();
    facts.add({"kind", modelKindName(result.kind)});
    if (!result.state.empty()) facts.add({"state", result.state});
    facts.add({"family", info.family});
    facts.add({"parameters", shortCountText(info.parameters) + " (" + countText(info.parameters) + ")"});
    facts.add({"size", bytesText(info.bytes) + " in " + std::to_string(result.files.size()) +
                           (result.files.size() == 1 ? " file, " : " files, ") + std::string(name(info.dtype))});
    facts.add({"blocks", std::to_string(info.blocks)});
    facts.add({"hidden size", std::to_string(info.hidden) + ", feed-forward " + std::to_string(info.feedForward)});
    facts.add({"heads", std::to_string(info.heads) + (info.keyValueHeads == info.heads ? std::string() :
                            ", " + std::to_string(info.keyValueHeads) + " of keys and values")});
    facts.add({"vocabulary", countText(info.vocabulary) + (info.tiedHead ? ", head tied to the embedding" : "")});
    facts.add({"positions", countText(info.maxPositions)});
    facts.add({"tokenizer", result.tokenizer});
    facts.print(std::cout);

    std::cout << "\nLinears (" << info.linears.size() << ")\n";
    Table linears({"name", ">rows", ">columns", "dtype", "input"});
    for (const LinearInfo& linear : info.linears)
        linears.add({linear.name, std::to_string(linear.rows), std::to_string(linear.columns),
                     std::string(name(linear.dtype)), linear.inputGroup});
    linears.print(std::cout);
}

void printTensors(const InspectResult& result) {
    Table tensors({"name", "dtype", "shape", ">size"});
    for (const TensorInfo& tensor : result.tensors)
        tensors.add({tensor.name, std::string(name(tensor.dtype)), shapeText(tensor.shape), bytesText(tensor.bytes)});
    tensors.print(std::cout);
}

void printRanges(const InspectResult& result) {
    std::cout << "\nWeights\n";
    Table table({"name", ">min", ">max", ">mean", ">deviation", ">widest column", ">its range"});
    for (const ColumnRanges& range : result.ranges) {
        size_t widest = 0;
        const auto span = [&](size_t j) { return double(range.columnMax[j]) - double(range.columnMin[j]); };
        for (size_t j = 1; j < range.columnMin.size(); ++j)
            if (span(j) > span(widest)) widest = j;
        const bool any = !range.columnMin.empty();
        table.add({range.layer, numberText(range.min), numberText(range.max), numberText(range.mean),
                   numberText(range.standardDeviation), any ? std::to_string(widest) : "", any ? numberText(span(widest)) : ""});
    }
    table.print(std::cout);
}

void printTensor(const TensorValues& tensor) {
    Table facts = Table::facts();
    facts.add({"tensor", tensor.info.name});
    facts.add({"dtype", std::string(name(tensor.info.dtype))});
    facts.add({"shape", shapeText(tensor.info.shape)});
    facts.add({"min, max", numberText(tensor.min, 7) + ", " + numberText(tensor.max, 7)});
    facts.add({"mean", numberText(tensor.mean, 7)});
    facts.add({"not finite", countText(tensor.nonFinite)});
    facts.print(std::cout);
    std::cout << "  first values\n   ";
    for (size_t i = 0; i < tensor.first.size(); ++i)
        std::cout << ' ' << numberText(tensor.first[i], 7) << (i % 8 == 7 && i + 1 < tensor.first.size() ? "\n   " : "");
    std::cout << '\n';
}

}  // namespace

void addInspect(CommandLine& line) {
    auto options = std::make_shared<InspectOptions>();
    CLI::App* command = line.add("inspect", "Show what a model or tensor file holds", [options](Run& run) {
        const InspectResult result = inspect(*options, run.progress, run.stop);
        run.writeResult(toJson(result));
        run.line.finish();
        std::cout << result.path.string() << '\n';
        if (result.tensor)
            printTensor(*result.tensor);
        else if (result.info.linears.empty())
            printTensors(result);
        else if (options->layer.empty())
            printModel(result);
        if (!result.ranges.empty()) printRanges(result);
    });
    command->add_option("MODEL", options->model, "Checkpoint folder, index, shard, run directory, packed model or tensor file")->required();
    command->add_option("--model", options->modelFolder, "Folder with config and tokenizer, for a lone .pth")->type_name("DIR");
    command->add_flag("--statistics", options->statistics, "Column ranges of every linear (reads the weights)");
    command->add_option("--layer", options->layer, "Column ranges of this linear only")->type_name("NAME");
    command->add_option("--tensor", options->tensor, "Values of this tensor")->type_name("NAME");
}

}  // namespace owq::cli
