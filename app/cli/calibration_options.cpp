// SPDX-License-Identifier: Apache-2.0
#include "app/cli/calibration_options.h"

#include "app/cli/command.h"

namespace owq::cli {

void CalibrationArguments::add(CLI::App& command) {
    constexpr const char* group = "Calibration";
    auto* text = command.add_option("--calibration", options.text, "Calibration text: plain, or JSON lines with \"text\"");
    auto* tokens = command.add_option("--calibration-tokens", options.tokens,
                                      "Calibration tokens: safetensors with input_ids [n, length] or [n]");
    text->type_name("FILE")->group(group)->excludes(tokens);
    tokens->type_name("FILE")->group(group);
    command.add_option("--samples", options.samples, "Calibration windows")
        ->type_name("N")->group(group)->check(CLI::Range(int64_t(1), int64_t(1) << 30))->capture_default_str();
    command.add_option("--sequence-length", sequenceLength,
                       "Tokens of a window; \"model\": the model's maximum (default: that, at most 2048)")
        ->type_name("N")->group(group)
        ->check(CLI::Validator([](std::string& value) {
            const bool digits = !value.empty() && value.size() < 10 && value.find_first_not_of("0123456789") == std::string::npos;
            return value == "model" || (digits && std::stoll(value) > 1)
                       ? std::string() : "--sequence-length needs a number above 1 or \"model\", not \"" + value + "\"";
        }, ""));
    command.add_option("--seed", options.seed, "Decides which windows are drawn")
        ->type_name("N")->group(group)->capture_default_str();
}

CalibrationOptions CalibrationArguments::resolve(bool needed) const {
    if (needed && options.text.empty() && options.tokens.empty())
        throw UsageError("a calibration text is needed: give --calibration FILE or --calibration-tokens FILE");
    CalibrationOptions result = options;
    if (!sequenceLength.empty()) result.sequenceLength = sequenceLength == "model" ? -1 : std::stoll(sequenceLength);
    return result;
}

}  // namespace owq::cli
