// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "app/cli/command.h"
#include "app/cli/format.h"
#include "app/cli/renderer.h"

namespace owq::cli {
namespace {

namespace fs = std::filesystem;

struct FigureOptions {
    fs::path subject, out, csv;
    std::string kind, layer;
    double widthMm = 0, heightMm = 0, fontPt = 0;
};

void render(const FigureOptions& options, Run& run) {
    std::vector<std::string> more;
    const auto pass = [&](const char* name, const std::string& value) {
        if (!value.empty()) more.insert(more.end(), {name, value});
    };
    const auto number = [](double value) { return value > 0 ? numberText(value, 6) : std::string(); };
    pass("--layer", options.layer);
    pass("--width-mm", number(options.widthMm));
    pass("--height-mm", number(options.heightMm));
    pass("--font-pt", number(options.fontPt));
    pass("--csv", options.csv.string());
    renderFigure(options.subject, options.kind, options.out, more, run.stop);
    Json result;
    result["file"] = options.out.string();
    result["kind"] = options.kind;
    result["layer"] = options.layer;
    run.writeResult(result);
    std::cout << options.out.string() << '\n';
}

}  // namespace

void addFigure(CommandLine& line) {
    auto options = std::make_shared<FigureOptions>();
    CLI::App* command = line.add("figure", "A plot of the workbench as a file", [options](Run& run) {
        checkFigureName(options->out);
        if (options->layer.empty() && options->kind != "error-saved" && options->kind != "speed") throw UsageError("--kind " + options->kind + " needs --layer NAME");
        render(*options, run);
    });
    command->add_option("SUBJECT", options->subject, "Run directory, or folder of owq calibrate; for speed the file of owq bench --json")->required();
    command->add_option("--kind", options->kind, "hessian, column-range, cumulative-error, sensitivity, error-saved (by weak columns) or speed")
        ->required()->check(CLI::IsMember({"hessian", "column-range", "cumulative-error", "sensitivity", "error-saved", "speed"}));
    command->add_option("--layer", options->layer, "Linear to show; error-saved shows all without it")->type_name("NAME");
    command->add_option("--out", options->out, "Figure: .pdf, .svg or .png")->type_name("FILE")->required();
    command->add_option("--width-mm", options->widthMm, "Width")->type_name("X")->check(CLI::PositiveNumber);
    command->add_option("--height-mm", options->heightMm, "Height")->type_name("X")->check(CLI::PositiveNumber);
    command->add_option("--font-pt", options->fontPt, "Size of the text")->type_name("X")->check(CLI::PositiveNumber);
    command->add_option("--csv", options->csv, "Write the plotted numbers, too")->type_name("FILE");
}

}  // namespace owq::cli
