// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/calibrate.h"

#include <iostream>

#include "app/cli/calibration_options.h"
#include "app/cli/command.h"
#include "app/cli/format.h"
#include "app/cli/layer_table.h"
#include "app/cli/progress_line.h"
#include "app/cli/recipe_options.h"

namespace owq::cli {

void addCalibrate(CommandLine& line) {
    struct Arguments {
        CalibrateOptions options;
        CalibrationArguments calibration;
        RecipeArguments recipe;
    };
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command = line.add("calibrate", "Hessians, sensitivities and column statistics, without quantizing",
                                 [arguments](Run& run) {
        CalibrateOptions options = arguments->options;
        options.calibration = arguments->calibration.resolve(true);
        options.recipe = arguments->recipe.resolve(options.calibration.seed);
        const CalibrateResult result = calibrate(options, run.progress, run.stop);
        run.writeResult(toJson(result));
        run.line.finish();
        printAnalysis(result.layers);
        std::cout << '\n' << countText(result.tokens) << " calibration tokens, " << durationText(result.seconds) << '\n';
        printWarnings(result.warnings);
    });
    command->add_option("MODEL", arguments->options.model, "Checkpoint folder, index or shard")->required();
    command->add_option("--out", arguments->options.out, "Folder for statistics.h5 and result.json")->type_name("DIR")->required();
    command->add_flag("--force", arguments->options.force, "Replace what is in --out");
    arguments->calibration.add(*command);
    arguments->recipe.add(*command, false);
}

}  // namespace owq::cli
