// SPDX-License-Identifier: Apache-2.0
// What was measured of a run lies in its directory: evaluation….json, as owq evaluate DIR --json DIR/evaluation….json writes it.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/jobs/evaluate.h"

namespace owq {

struct ComparedPerplexity {
    std::string text, protocol, task, arithmetic;  ///< text: name of the file; task: short name, empty: the run's own weak columns
    int64_t windows = 0, sequenceLength = 0;
    double perplexity = 0;
    std::optional<double> kl, klError, top1Agreement;  ///< nats per token against the original and its standard error; share of 1

    /// Of the column: the same for measurements that can be compared.
    std::string title() const {
        std::string title = text;
        const auto add = [&title](const std::string& part) { title += (title.empty() ? "" : ", ") + part; };
        if (!protocol.empty() && protocol != "plain") add(protocol);
        if (windows > 0) add(std::to_string(windows) + " x " + std::to_string(sequenceLength));
        if (!arithmetic.empty() && arithmetic != "dense") add(arithmetic);
        if (!task.empty()) add("task " + task);
        return title;
    }
};

/// A task file's folder where the file is named as owq tune does.
inline std::string taskTitle(const std::filesystem::path& file) {
    return file.filename() == "task.safetensors" && file.has_parent_path() ? file.parent_path().filename().string() : file.stem().string();
}

inline ComparedPerplexity comparedPerplexity(const EvaluateResult& r) {
    ComparedPerplexity p{std::filesystem::path(r.text).filename().string(), r.protocol, taskTitle(r.task), r.arithmetic, r.windows, r.sequenceLength, r.perplexity, {}, {}, {}};
    if (r.divergence) p.kl = r.divergence->kl.mean, p.klError = r.divergence->kl.standardError, p.top1Agreement = r.divergence->top1Agreement;
    return p;
}

/// By the names of the files. Throws Error for a damaged one. Scores of questions, which may lie there, too, are passed over.
std::vector<ComparedPerplexity> evaluationsOf(const std::filesystem::path& directory);
/// Puts the result into the run's directory, in place of an earlier one of the same measurement, unless that one says more. Throws Error.
void keepEvaluation(const std::filesystem::path& directory, const EvaluateResult& result);

}  // namespace owq
