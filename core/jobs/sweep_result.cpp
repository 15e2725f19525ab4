// SPDX-License-Identifier: Apache-2.0
#include "core/jobs/sweep_result.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "core/base/csv.h"
#include "core/base/file.h"

namespace owq {
namespace {

const char* stateName(SweepState state) {
    return state == SweepState::done ? "done" : state == SweepState::failed ? "failed" : "waiting";
}

Json toJson(const SweepPerplexity& p) {
    return {{"text", p.text}, {"protocol", p.protocol}, {"sequence_length", p.sequenceLength}, {"perplexity", p.perplexity},
            {"nll", p.nll}, {"tokens", p.tokens}, {"windows", p.windows}, {"seconds", p.seconds}};
}

Json toJson(const std::vector<SweepPerplexity>& all) {
    Json list = Json::array();
    for (const SweepPerplexity& p : all)
        if (!p.key.empty()) list.push_back(toJson(p));
    return list;
}

std::string csvText(const Json& value) {
    if (value.is_null()) return {};
    return value.is_string() ? value.get<std::string>() : value.dump();
}

void addPerplexities(std::vector<std::string>& cells, const std::vector<SweepPerplexity>& all, size_t texts) {
    for (size_t t = 0; t < texts; ++t)
        cells.push_back(t < all.size() && !all[t].key.empty() ? csvNumber(all[t].perplexity) : std::string());
}

}  // namespace

size_t SweepResult::failed() const {
    return size_t(std::count_if(rows.begin(), rows.end(), [](const SweepRow& r) { return r.state == SweepState::failed; }));
}

Json toJson(const SweepResult& r) {
    Json j{{"schema", 1}, {"kind", "sweep"}, {"model", r.model}, {"varied", r.varied}, {"texts", r.texts}};
    j["original"] = {{"file_bytes", r.originalBytes}, {"perplexity", toJson(r.original)}};
    if (r.originalTokenSeconds > 0) j["original"]["token_seconds"] = r.originalTokenSeconds;
    Json list = Json::array();
    for (const SweepRow& row : r.rows) {
        Json e{{"name", row.setting.name}, {"state", stateName(row.state)}, {"varied", row.setting.values}};
        if (row.state == SweepState::failed) e["error"] = row.error;
        if (row.fileBytes > 0) {
            e["reused"] = row.reused;
            e["effective_bits"] = {{"paper", row.effectiveBits.paper}, {"stored", row.effectiveBits.stored}};
            e["file_bytes"] = row.fileBytes;
            e["seconds"] = row.seconds;
            if (row.tokenSeconds > 0) e["token_seconds"] = row.tokenSeconds;
            e["warnings"] = row.warnings;
        }
        e["perplexity"] = toJson(row.perplexity);
        e["recipe"] = toJson(row.setting.recipe);
        if (row.setting.recipe.method != Method::rtn) e["samples"] = row.setting.calibration.samples;
        list.push_back(std::move(e));
    }
    j["failed"] = r.failed();
    j["settings"] = std::move(list);
    return j;
}

std::string toCsv(const SweepResult& r) {
    std::vector<std::string> cells{"setting"};
    cells.insert(cells.end(), r.varied.begin(), r.varied.end());
    for (const char* title : {"paper_bits", "stored_bits", "file_bytes", "token_seconds"}) cells.push_back(title);
    for (const std::string& text : r.texts) cells.push_back("perplexity " + text);
    for (const char* title : {"seconds", "state", "error"}) cells.push_back(title);
    std::string csv = csvLine(cells);

    cells = {"original"};
    cells.resize(1 + r.varied.size() + 2);
    cells.push_back(std::to_string(r.originalBytes));
    cells.push_back(r.originalTokenSeconds > 0 ? csvNumber(r.originalTokenSeconds) : std::string());
    addPerplexities(cells, r.original, r.texts.size());
    cells.insert(cells.end(), {"", "", ""});
    csv += csvLine(cells);

    for (const SweepRow& row : r.rows) {
        cells = {row.setting.name};
        for (const std::string& key : r.varied) cells.push_back(csvText(row.setting.values[key]));
        if (row.fileBytes > 0)
            cells.insert(cells.end(), {csvNumber(row.effectiveBits.paper), csvNumber(row.effectiveBits.stored), std::to_string(row.fileBytes)});
        else
            cells.insert(cells.end(), {"", "", ""});
        cells.push_back(row.tokenSeconds > 0 ? csvNumber(row.tokenSeconds) : std::string());
        addPerplexities(cells, row.perplexity, r.texts.size());
        cells.push_back(row.fileBytes > 0 ? csvNumber(row.seconds) : std::string());
        cells.push_back(stateName(row.state));
        cells.push_back(row.error);
        csv += csvLine(cells);
    }
    return csv;
}

Measurements readMeasurements(const std::filesystem::path& file) {
    Measurements found;
    if (!std::filesystem::exists(file)) return found;
    std::istringstream lines(readText(file, size_t(1) << 28));
    const std::string where = file.string();
    for (std::string line; std::getline(lines, line);) {
        try {
            const Json e = parseJson(line, where);
            SweepPerplexity p;
            p.key = required<std::string>(e, "key", where);
            p.text = required<std::string>(e, "text", where);
            p.protocol = required<std::string>(e, "protocol", where);
            p.sequenceLength = required<int64_t>(e, "sequence_length", where);
            p.perplexity = required<double>(e, "perplexity", where);
            p.nll = required<double>(e, "nll", where);
            p.tokens = required<int64_t>(e, "tokens", where);
            p.windows = required<int64_t>(e, "windows", where);
            p.seconds = required<double>(e, "seconds", where);
            found[p.key] = p;
        } catch (const Error&) {
            // Cut short by a crash, or not finite and so written as null: it is measured again.
        }
    }
    return found;
}

void appendMeasurement(const std::filesystem::path& file, const SweepPerplexity& measured) {
    Json line = toJson(measured);
    line["key"] = measured.key;
    // A line cut short by a crash must not swallow this one: it ends where a new line begins.
    const std::string start = std::filesystem::exists(file) ? "\n" : "";
    appendLineSynced(file, start + line.dump());
}

}  // namespace owq
