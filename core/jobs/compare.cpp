// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "core/base/csv.h"
#include "core/base/progress.h"
#include "core/jobs/run_directory.h"

namespace owq {
namespace fs = std::filesystem;
namespace {

ComparedRun runOf(const fs::path& directory, const RunSummary& summary) {
    const QuantizeResult& r = summary.result;
    ComparedRun run;
    run.directory = directory;
    run.recipe = r.recipe;
    run.targetBits = r.targetBits;
    run.effectiveBits = r.effectiveBits;
    run.packedBytes = r.packedBytes;
    run.fileBytes = r.fileBytes;
    run.peakMemoryBytes = r.peakMemoryBytes;
    run.seconds = r.seconds.total;
    run.perplexities = evaluationsOf(directory);
    return run;
}

/// The last part of each path, with as many before it as make them differ.
void nameRuns(std::vector<ComparedRun>& runs) {
    for (int parts = 1; parts < 8; ++parts) {
        std::set<std::string> names;
        for (ComparedRun& run : runs) {
            fs::path left = fs::weakly_canonical(run.directory), name;
            for (int i = 0; i < parts && left.has_filename(); ++i, left = left.parent_path())
                name = name.empty() ? left.filename() : left.filename() / name;
            run.name = name.string();
            names.insert(run.name);
        }
        if (names.size() == runs.size()) return;
    }
}

int64_t shared(const std::vector<ComparedLinear::Value>& values) {
    std::vector<int32_t> common = values.front().weakColumns;
    for (const auto& value : values) {
        std::vector<int32_t> both;
        std::set_intersection(common.begin(), common.end(), value.weakColumns.begin(), value.weakColumns.end(), std::back_inserter(both));
        common = std::move(both);
    }
    return int64_t(common.size());
}

double differenceOf(const std::vector<ComparedLinear::Value>& values) {
    double least = std::numeric_limits<double>::infinity(), most = 0;
    for (const auto& value : values)
        if (!value.quantized) return std::numeric_limits<double>::infinity();
    for (const auto& value : values) {
        if (!value.error) return 0;
        least = std::min(least, *value.error);
        most = std::max(most, *value.error);
    }
    if (most == least) return 0;
    return least > 0 ? std::log(most / least) : std::numeric_limits<double>::infinity();
}

Json number(double v) { return std::isfinite(v) ? Json(v) : Json(nullptr); }
Json number(std::optional<double> v) { return v ? number(*v) : Json(nullptr); }

}  // namespace

CompareResult compare(const CompareOptions& options, Progress& progress, std::stop_token stop) {
    if (options.runs.size() < 2) throw Error("a comparison needs two or more runs", "", "Name their run directories");
    CompareResult result;
    std::map<std::string, size_t> places;
    for (size_t r = 0; r < options.runs.size(); ++r) {
        checkStop(stop);
        const fs::path& directory = options.runs[r];
        progress.report("Reading runs", directory.string(), double(r) / double(options.runs.size()));
        const RunSummary summary = openRun(directory);
        if (summary.analysis) throw Error("is an analysis: nothing in it is quantized", directory.string(), "Name a run directory of owq quantize");
        if (!summary.finished)
            throw Error("has finished " + std::to_string(summary.done) + " of " + std::to_string(summary.total) + " linears", directory.string(),
                        "Go on with it: owq quantize --resume");
        result.runs.push_back(runOf(directory, summary));
        for (const LayerReport& l : summary.result.layers) {
            const auto [place, isNew] = places.emplace(l.linear.name, result.linears.size());
            if (isNew) {
                result.linears.push_back({l.linear.name, {}, 0, 0});
                result.linears.back().values.resize(options.runs.size());
            }
            // Rounding without calibration leaves no loss, which is not the same as none.
            const bool measured = l.error > 0 || summary.result.recipe.method != Method::rtn;
            result.linears[place->second].values[r] = {true, l.bits, l.weakColumns, measured ? std::optional(l.error) : std::nullopt};
        }
    }
    nameRuns(result.runs);
    size_t common = 0;
    for (ComparedRun& run : result.runs) run.error = 0;
    for (ComparedLinear& l : result.linears) {
        l.sharedWeakColumns = shared(l.values);
        l.difference = differenceOf(l.values);
        if (!std::all_of(l.values.begin(), l.values.end(), [](const auto& v) { return v.quantized; })) continue;
        ++common;
        for (size_t r = 0; r < result.runs.size(); ++r)
            result.runs[r].error = result.runs[r].error && l.values[r].error ? std::optional(*result.runs[r].error + *l.values[r].error) : std::nullopt;
    }
    if (common == 0) throw Error("the runs have no quantized linear in common", options.runs.back().string(), "Compare runs of one model");
    std::stable_sort(result.linears.begin(), result.linears.end(),
                     [](const ComparedLinear& a, const ComparedLinear& b) { return a.difference > b.difference; });
    for (const ComparedRun& run : result.runs)
        for (const ComparedPerplexity& p : run.perplexities)
            if (std::find(result.texts.begin(), result.texts.end(), p.title()) == result.texts.end()) result.texts.push_back(p.title());
    progress.report("Compared", "", 1);
    return result;
}

Json toJson(const CompareResult& result) {
    Json runs = Json::array(), linears = Json::array();
    for (const ComparedRun& r : result.runs) {
        Json measured = Json::array();
        for (const ComparedPerplexity& p : r.perplexities) {
            Json m{{"text", p.text}, {"protocol", p.protocol}, {"windows", p.windows}, {"sequence_length", p.sequenceLength}, {"perplexity", p.perplexity}};
            if (p.kl) m["kl"] = *p.kl;
            if (p.top1Agreement) m["top1_agreement"] = *p.top1Agreement;
            measured.push_back(std::move(m));
        }
        runs.push_back({{"name", r.name}, {"directory", r.directory.string()}, {"recipe", toJson(r.recipe)}, {"target_bits", r.targetBits},
                        {"effective_bits", {{"paper", r.effectiveBits.paper}, {"stored", r.effectiveBits.stored}}},
                        {"packed_bytes", r.packedBytes}, {"file_bytes", r.fileBytes}, {"seconds", r.seconds},
                        {"peak_memory_bytes", r.peakMemoryBytes}, {"error", number(r.error)}, {"evaluations", std::move(measured)}});
    }
    for (const ComparedLinear& l : result.linears) {
        Json values = Json::array();
        for (const ComparedLinear::Value& v : l.values)
            values.push_back(v.quantized ? Json{{"bits", v.bits}, {"weak_columns", v.weakColumns}, {"error", number(v.error)}} : Json{{"bits", 16}});
        linears.push_back({{"name", l.name}, {"log_ratio", number(l.difference)}, {"shared_weak_columns", l.sharedWeakColumns}, {"runs", std::move(values)}});
    }
    return {{"runs", std::move(runs)}, {"layers", std::move(linears)}};
}

std::string toCsv(const CompareResult& result) {
    std::string csv = csvLine({"linear", "run", "bits", "weak_columns", "shared_weak_columns", "error", "log_ratio"});
    for (const ComparedLinear& l : result.linears)
        for (size_t r = 0; r < l.values.size(); ++r) {
            const auto& v = l.values[r];
            csv += csvLine({l.name, result.runs[r].name, std::to_string(v.bits), std::to_string(v.weakColumns.size()),
                            std::to_string(l.sharedWeakColumns), v.error ? csvNumber(*v.error) : std::string(), csvNumber(l.difference)});
        }
    return csv;
}

}  // namespace owq
