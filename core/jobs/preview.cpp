// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/preview.h"

#include <algorithm>
#include <span>

#include "core/jobs/run_description.h"

namespace owq {
namespace {

std::string numbers(std::span<const int32_t> ids) {
    std::string text;
    for (const int32_t id : ids) text += (text.empty() ? "" : " ") + std::to_string(id);
    return text;
}

/// Null where a token file is to be shown and the model has none: then the ids must do.
std::shared_ptr<const Tokenizer> tokenizerOf(const ModelSource& model, bool needed) {
    try {
        return openTokenizer(model.tokenizerFolder());
    } catch (const Error&) {
        if (needed) throw;
        return nullptr;
    }
}

}  // namespace

CalibrationPreview previewCalibration(const PreviewOptions& options, Progress& progress, std::stop_token stop) {
    progress.report("Reading the calibration text", options.calibration.text.filename().string(), 0);
    const auto model = ModelSource::open(options.model);
    const TokenWindows windows = loadCalibration(options.calibration, *model);
    const auto tokenizer = tokenizerOf(*model, !options.calibration.text.empty());
    CalibrationPreview preview{windows.count(), windows.length, 0, {}, windows.warnings};
    if (tokenizer && tokenizer->unknown() >= 0 && !windows.ids.empty())
        preview.unknown = double(std::count(windows.ids.begin(), windows.ids.end(), tokenizer->unknown())) / double(windows.ids.size());
    for (int64_t i = 0; i < std::min(windows.count(), options.texts); ++i) {
        checkStop(stop);
        const std::span<const int32_t> ids(windows.window(i), size_t(windows.length));
        preview.texts.push_back(tokenizer ? tokenizer->decode(ids) : numbers(ids));
    }
    progress.report("Read", "", 1);
    return preview;
}

}  // namespace owq
