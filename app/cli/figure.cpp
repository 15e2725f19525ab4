// SPDX-License-Identifier: Apache-2.0
#include <iostream>

#include "app/cli/command.h"
#include "app/cli/format.h"
#include "app/cli/renderer.h"

namespace owq::cli {
namespace {

namespace fs = std::filesystem;

struct FigureOptions {
    fs::path subject, compare, out, csv;
    std::string kind, columnsBy;
    std::vector<std::string> layers;
    bool share = false;
    double widthMm = 0, heightMm = 0, fontPt = 0, linePt = 0, dpi = 0;
};

bool isProject(const fs::path& subject) { return subject.extension() == ".owqproject"; }

void check(const FigureOptions& o) {
    checkFigureName(o.out);
    const bool speed = o.kind == "speed";
    if (o.layers.empty() && o.kind != "error-saved" && !speed && !isProject(o.subject)) throw UsageError("--kind " + o.kind + " needs --layer NAME");
    if (o.share && o.kind != "cumulative-error") throw UsageError("--share goes with --kind cumulative-error");
    if (speed && (!o.layers.empty() || !o.compare.empty() || !o.columnsBy.empty()))
        throw UsageError("--kind speed draws the file of owq bench: no --layer, --compare or --columns-by");
}

void render(const FigureOptions& options, Run& run) {
    std::vector<std::string> more;
    const auto pass = [&](const char* name, const std::string& value) {
        if (!value.empty()) more.insert(more.end(), {name, value});
    };
    const auto number = [](double value) { return value > 0 ? numberText(value, 6) : std::string(); };
    for (const std::string& layer : options.layers) pass("--layer", layer);
    pass("--compare", options.compare.string());
    pass("--columns-by", options.columnsBy);
    if (options.share) more.emplace_back("--share");
    pass("--width-mm", number(options.widthMm));
    pass("--height-mm", number(options.heightMm));
    pass("--font-pt", number(options.fontPt));
    pass("--line-pt", number(options.linePt));
    pass("--dpi", number(options.dpi));
    pass("--csv", options.csv.string());
    renderFigure(options.subject, options.kind, options.out, more, run.stop);
    Json result;
    result["file"] = options.out.string();
    result["kind"] = options.kind;
    result["layers"] = options.layers;
    if (!options.compare.empty()) result["compared_with"] = options.compare.string();
    run.writeResult(result);
    std::cout << options.out.string() << '\n';
}

}  // namespace

void addFigure(CommandLine& line) {
    auto options = std::make_shared<FigureOptions>();
    CLI::App* command = line.add("figure", "A plot of the workbench as a file", [options](Run& run) {
        check(*options);
        render(*options, run);
    });
    command->add_option("SUBJECT", options->subject,
                        "Run directory, or folder of owq calibrate; a project file: what it shows; for speed the file of owq bench --json")->required();
    command->add_option("--kind", options->kind, "hessian, column-range, cumulative-error, sensitivity, error-saved (by weak columns) or speed")
        ->required()->check(CLI::IsMember({"hessian", "column-range", "cumulative-error", "sensitivity", "error-saved", "speed"}));
    command->add_option("--layer", options->layers, "Linear to show, once for each curve; error-saved shows all without it, a project those selected")
        ->type_name("NAME")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command->add_option("--compare", options->compare, "Second run: its curves as B in the same axes")->type_name("DIR");
    command->add_option("--columns-by", options->columnsBy, "Order of columns: index, rank (ascending by influence) or hessian (descending) (default: index)")
        ->type_name("ORDER")->check(CLI::IsMember({"index", "rank", "hessian"}));
    command->add_flag("--share", options->share, "Cumulative error as a share of each curve's total");
    command->add_option("--out", options->out, "Figure: .pdf, .svg or .png")->type_name("FILE")->required();
    command->add_option("--width-mm", options->widthMm, "Width (default: 85)")->type_name("X")->check(CLI::PositiveNumber);
    command->add_option("--height-mm", options->heightMm, "Height (default: 60)")->type_name("X")->check(CLI::PositiveNumber);
    command->add_option("--font-pt", options->fontPt, "Size of the text (default: 8)")->type_name("X")->check(CLI::PositiveNumber);
    command->add_option("--line-pt", options->linePt, "Width of the lines (default: 0.8)")->type_name("X")->check(CLI::PositiveNumber);
    command->add_option("--dpi", options->dpi, "Resolution of a PNG (default: 600)")->type_name("X")->check(CLI::PositiveNumber);
    command->add_option("--csv", options->csv, "Write the plotted numbers, too")->type_name("FILE");
}

}  // namespace owq::cli
