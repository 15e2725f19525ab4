// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/evaluations.h"

#include <algorithm>
#include <cctype>

#include "core/base/error.h"
#include "core/base/json.h"

namespace owq {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> filesIn(const fs::path& directory) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(directory)) {
        const std::string name = entry.path().filename().string();
        if (entry.is_regular_file() && name.starts_with("evaluation") && name.ends_with(".json")) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::optional<ComparedPerplexity> read(const fs::path& file) {
    const std::string where = file.string();
    const Json j = readJson(file);
    if (j.is_object() && j.contains("tasks")) return std::nullopt;
    ComparedPerplexity p;
    p.perplexity = required<double>(j, "perplexity", where);
    p.protocol = optional<std::string>(j, "protocol", "", where);
    p.arithmetic = optional<std::string>(j, "arithmetic", "", where);
    p.text = fs::path(optional<std::string>(j, "text", "", where)).filename().string();
    p.task = taskTitle(optional<std::string>(j, "task", "", where));
    p.windows = optional<int64_t>(j, "windows", 0, where);
    p.sequenceLength = optional<int64_t>(j, "sequence_length", 0, where);
    if (j.contains("kl") && j["kl"].is_object()) {
        p.kl = required<double>(j["kl"], "mean", where);
        if (j["kl"].contains("standard_error") && j["kl"]["standard_error"].is_number()) p.klError = required<double>(j["kl"], "standard_error", where);
    }
    if (j.contains("top1_agreement")) p.top1Agreement = required<double>(j, "top1_agreement", where);
    return p;
}

std::string fileName(const std::string& title) {
    std::string name = "evaluation";
    for (const char c : "-" + title) {
        const bool plain = std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || static_cast<unsigned char>(c) >= 0x80;
        if (plain || name.back() != '-') name += plain ? c : '-';
    }
    return name.substr(0, 200) + ".json";
}

}  // namespace

std::vector<ComparedPerplexity> evaluationsOf(const fs::path& directory) {
    std::vector<ComparedPerplexity> all;
    for (const fs::path& file : filesIn(directory))
        if (auto one = read(file)) all.push_back(std::move(*one));
    return all;
}

void keepEvaluation(const fs::path& directory, const EvaluateResult& result) {
    const ComparedPerplexity measured = comparedPerplexity(result);
    fs::path place = directory / fileName(measured.title());
    for (const fs::path& file : filesIn(directory)) {
        const auto there = read(file);
        if (!there || there->title() != measured.title()) continue;
        if (there->kl && !measured.kl && there->perplexity == measured.perplexity) return;
        place = file;
        break;
    }
    writeJson(place, toJson(result));
}

}  // namespace owq
