// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/lesson.h"

#include <iostream>

#include "app/cli/calibration_options.h"
#include "app/cli/command.h"
#include "app/cli/format.h"
#include "app/cli/layer_table.h"
#include "app/cli/progress_line.h"
#include "app/cli/table.h"

namespace owq::cli {
namespace {

void printColumns(const LessonResult& r) {
    const LinearStatistics& s = r.kept.outcome.statistics;
    std::vector<double> all(r.columns.size(), 0), kept(r.columns.size(), 0);
    for (size_t j = 0; j < r.all.steps.size(); j++) all[size_t(r.all.outcome.statistics.order[j])] = r.all.steps[j].loss;
    for (size_t j = 0; j < r.kept.steps.size(); j++) kept[size_t(s.order[j])] = r.kept.steps[j].loss;
    Table table({">channel", ">H diagonal", ">column error", ">sensitivity", ">loss, all", ">loss, one kept"});
    for (size_t c = 0; c < r.columns.size(); c++)
        table.add({std::to_string(r.columns[c]), numberText(s.hessianDiagonal[c]), numberText(s.columnError[c]), numberText(s.sensitivity[c]),
                   numberText(all[c]), numberText(kept[c])});
    table.print(std::cout);
}

void printGrids(const LessonResult& r) {
    Table table({">row", ">range", ">step of 100", ">scale", ">zero", ">mean |error|^2.4"});
    for (size_t i = 0; i < r.rows.size(); i++) {
        const GridTable& g = r.all.grids[i];
        table.add({std::to_string(r.rows[i]), numberText(g.range), std::to_string(g.step), numberText(r.all.outcome.weight.scale[i]),
                   numberText(r.all.outcome.weight.zero[i]), numberText(g.at(g.step, g.zero))});
    }
    table.print(std::cout);
}

}  // namespace

void addLesson(CommandLine& line) {
    struct Arguments {
        LessonOptions options;
        CalibrationArguments calibration;
    };
    auto arguments = std::make_shared<Arguments>();
    arguments->calibration.options.samples = arguments->options.calibration.samples;
    CLI::App* command = line.add("lesson", "A piece of one linear quantized step by step; --json has every step", [arguments](Run& run) {
        LessonOptions options = arguments->options;
        options.calibration = arguments->calibration.resolve(true);
        if (options.calibration.sequenceLength == 0 && options.calibration.tokens.empty())
            options.calibration.sequenceLength = arguments->options.calibration.sequenceLength;
        const LessonResult r = lesson(options, run.progress, run.stop);
        run.writeResult(toJson(r));
        run.line.finish();
        std::cout << r.linear.name << ": " << r.rows.size() << " of " << r.linear.rows << " rows, " << r.columns.size() << " of "
                  << r.linear.columns << " columns, " << r.bits << " bits\n\nGrids with all columns\n";
        printGrids(r);
        std::cout << "\nColumns\n";
        printColumns(r);
        std::cout << "\nOutput error: " << numberText(r.plainError) << " rounded plainly, " << numberText(r.all.outputError)
                  << " after the column loop, " << numberText(r.kept.outputError) << " with channel "
                  << r.columns[size_t(r.kept.outcome.weight.weakColumns.front())] << " in 16 bit\n";
        printWarnings(r.warnings);
    });
    command->add_option("MODEL", arguments->options.model, "Checkpoint folder, index or shard")->required();
    command->add_option("--layer", arguments->options.linear, "Which linear (default: the first of the model)")
        ->type_name("NAME");
    command->add_option("--bits", arguments->options.bits, "Bits of a code")->type_name("N")->check(CLI::Range(2, 4))->capture_default_str();
    arguments->calibration.add(*command);
}

}  // namespace owq::cli
