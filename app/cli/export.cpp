// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/export.h"

#include <iostream>

#include "app/cli/command.h"
#include "app/cli/format.h"
#include "app/cli/progress_line.h"
#include "app/cli/table.h"

namespace owq::cli {

void addExport(CommandLine& line) {
    auto arguments = std::make_shared<ExportOptions>();
    CLI::App* command = line.add("export", "Write a finished run as a model, and check it", [arguments](Run& run) {
        if (arguments->layout != "latency" && arguments->format != "owq")
            throw UsageError("--layout " + arguments->layout + " belongs to --format owq, not to " + arguments->format);
        const ExportResult result = exportModel(*arguments, run.progress, run.stop);
        run.writeResult(toJson(result));
        run.line.finish();
        Table facts = Table::facts();
        facts.add({"written", result.out.string()});
        facts.add({"format", result.format + ", " + bytesText(result.bytes)});
        if (result.packedBytes)
            facts.add({"effective bits", fixedText(result.effectiveBits.paper, 4) + " as the paper counts, " +
                                             fixedText(result.effectiveBits.stored, 4) + " stored" + (result.format == "owq" ? " in the layout " + result.layout : "")});
        for (const std::string& check : result.verification) facts.add({"checked", check});
        facts.add({"loads in", result.loadableBy});
        facts.add({"time", durationText(result.seconds)});
        facts.print(std::cout);
    });
    ExportOptions& options = *arguments;
    command->add_option("DIR", options.run, "Run directory")->required();
    command->add_option("--format", options.format, "owq, owq-pth, dense, or gptq (of runs without weak columns)")->required()
        ->check(CLI::IsMember({"owq", "owq-pth", "dense", "gptq"}));
    command->add_option("--out", options.out, "Folder (owq, dense, gptq) or file (owq-pth)")->type_name("PATH")->required();
    addTask(*command, options.task);
    command->add_flag("--force", options.force, "Replace what is at --out");
    command->add_option("--layout", options.layout,
                        "Of owq. latency: weak columns keep a slot in the packed codes; storage: they are left out")
        ->check(CLI::IsMember({"latency", "storage"}))->capture_default_str();
}

}  // namespace owq::cli
