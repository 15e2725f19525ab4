// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/project.h"

#include <QCryptographicHash>
#include <QDir>
#include <QFile>
#include <QFileInfo>

#include "app/workbench/project_json.h"

namespace owq {
namespace {

using namespace project_json;

constexpr int kSchema = 1;
constexpr qint64 kReadWhole = 64 << 20;  // bytes

Json toJson(const Project::Input& input) { return {{"path", str(input.path)}, {"sha256", str(input.hash)}}; }

Json toJson(const QMap<QString, double>& values) {
    Json j = Json::object();
    for (auto it = values.cbegin(); it != values.cend(); ++it) j[str(it.key())] = it.value();
    return j;
}

Json toJson(const Project::Run& run) {
    Json j{{"path", str(run.input.path)}, {"sha256", str(run.input.hash)}, {"name", str(run.name)}, {"note", str(run.note)}};
    for (const MeasuredNumbers& numbers : kMeasuredNumbers) j[numbers.name] = toJson(run.measured.*numbers.values);
    Json& details = j["details"] = Json::object();
    for (auto it = run.measured.details.cbegin(); it != run.measured.details.cend(); ++it) details[str(it.key())] = str(it.value());
    return j;
}

Json toJson(const RunSettings& s) {
    return {{"method", str(s.method)}, {"bits", s.bits}, {"target_bits", s.targetBits}, {"recipe", str(s.preset)}, {"device", str(s.device)},
            {"grid", str(s.grid)}, {"group_size", s.groupSize}, {"allocation", str(s.allocation)}, {"weak_metric", str(s.metric)},
            {"act_order", s.actOrder}, {"symmetric", s.symmetric}, {"true_sequential", s.trueSequential}, {"stored_scales", s.storedScales},
            {"damping", s.damping}, {"refine", s.refinePasses}, {"input_correction", s.inputCorrection}, {"samples", s.samples},
            {"sequence_length", s.sequenceLength}, {"seed", s.seed}, {"out", str(s.out)}};
}

Project::Input inputFrom(const Json& j, const std::string& where) { return {text(j, "path", where), text(j, "sha256", where)}; }

QMap<QString, double> numbersFrom(const Json& j, const char* key, const std::string& where) {
    QMap<QString, double> values;
    const Json& given = part(j, key, where);
    for (const auto& [name, value] : given.items()) values.insert(qstr(name), required<double>(given, name.c_str(), where));
    return values;
}

Project::Run runFrom(const Json& j, const std::string& where) {
    if (!j.is_object()) throw Error("\"results\" holds something else than runs", where, kRemedy);
    Project::Run run{inputFrom(j, where), text(j, "name", where), text(j, "note", where), {}};
    for (const MeasuredNumbers& numbers : kMeasuredNumbers) run.measured.*numbers.values = numbersFrom(j, numbers.name, where);
    const Json& details = part(j, "details", where);
    for (const auto& [name, value] : details.items()) run.measured.details.insert(qstr(name), text(details, name.c_str(), where));
    return run;
}

RunSettings settingsFrom(const Json& j, const std::string& where) {
    RunSettings s;
    s.method = text(j, "method", where, s.method);
    s.bits = int(optional<int64_t>(j, "bits", s.bits, where));
    s.targetBits = optional<double>(j, "target_bits", s.targetBits, where);
    s.preset = text(j, "recipe", where, s.preset);
    s.device = text(j, "device", where, s.device);
    s.grid = text(j, "grid", where);
    s.groupSize = int(optional<int64_t>(j, "group_size", s.groupSize, where));
    s.allocation = text(j, "allocation", where);
    s.metric = text(j, "weak_metric", where, s.metric);
    s.actOrder = optional<bool>(j, "act_order", s.actOrder, where);
    s.symmetric = optional<bool>(j, "symmetric", s.symmetric, where);
    s.trueSequential = optional<bool>(j, "true_sequential", s.trueSequential, where);
    s.storedScales = optional<bool>(j, "stored_scales", s.storedScales, where);
    s.damping = optional<double>(j, "damping", s.damping, where);
    s.refinePasses = int(optional<int64_t>(j, "refine", s.refinePasses, where));
    s.inputCorrection = optional<double>(j, "input_correction", s.inputCorrection, where);
    s.samples = int(optional<int64_t>(j, "samples", s.samples, where));
    s.sequenceLength = int(optional<int64_t>(j, "sequence_length", s.sequenceLength, where));
    s.seed = quint64(optional<int64_t>(j, "seed", 0, where));
    s.out = text(j, "out", where);
    return s;
}

QByteArray bytesFrom(const Json& j, const char* key, const std::string& where) {
    return QByteArray::fromBase64(QByteArray::fromStdString(optional<std::string>(j, key, "", where)));
}

}  // namespace

Json toJson(const Project& p) {
    Json views = Json::object(), runs = Json::array();
    for (const auto& [kind, v] : p.views) views[kind] = {{"x", {v.range.xLower, v.range.xUpper}}, {"y", {v.range.yLower, v.range.yUpper}}, {"reference", v.reference}};
    for (const Project::Run& r : p.runs) runs.push_back(toJson(r));
    Json j;
    j["owq_project"] = kSchema;
    j["model"] = toJson(p.model);
    j["calibration"] = toJson(p.calibration);
    j["analysis"] = str(p.analysis);
    j["shown"] = str(p.shown);
    j["compared_with"] = str(p.comparedWith);
    j["selection"] = project_json::toJson(p.selection);
    j["column"] = p.column;
    j["plots"] = {{"columns_by", str(p.xMode)}, {"error_share", p.errorShare}, {"views", std::move(views)}};
    putLook(j, p.look);
    j["settings"] = toJson(p.settings);
    j["budget"] = {{"edited", p.budgetEdited}, {"plan", p.budget}};
    j["measure"] = {{"text", toJson(p.evaluation)}, {"protocol", str(p.measure.protocol)}, {"windows", p.measure.windows}, {"divergence", p.measure.divergence},
                    {"task", str(p.measure.task)}, {"shots", p.measure.shots}, {"examples", str(p.measure.examples)}};
    j["results"] = std::move(runs);
    j["window"] = {{"layout", p.layout.toBase64().toStdString()}, {"geometry", p.geometry.toBase64().toStdString()}};
    return j;
}

Project projectFromJson(const Json& j, const std::string& where) {
    if (!j.is_object() || !j.contains("owq_project")) throw Error("is no project of the workbench", where, kRemedy);
    if (required<int64_t>(j, "owq_project", where) != kSchema)
        throw Error("was written by another version of the workbench", where, "Open it with that version, or open the model itself");
    Project p;
    p.model = inputFrom(part(j, "model", where), where);
    if (p.model.path.isEmpty()) throw Error("names no model", where, kRemedy);
    p.calibration = inputFrom(part(j, "calibration", where), where);
    p.analysis = text(j, "analysis", where);
    p.shown = text(j, "shown", where);
    p.comparedWith = text(j, "compared_with", where);
    p.selection = textsFrom(j, "selection", where);
    p.column = int(optional<int64_t>(j, "column", -1, where));
    const Json& plots = part(j, "plots", where);
    p.xMode = text(plots, "columns_by", where, p.xMode);
    p.errorShare = optional<bool>(plots, "error_share", false, where);
    for (const auto& [kind, v] : part(plots, "views", where).items()) {
        const auto pair = [&](const char* key, double& lower, double& upper) {
            const std::vector<Json> ends = listFrom(v, key, where);
            if (ends.size() != 2 || !ends[0].is_number() || !ends[1].is_number()) throw Error("the range of the plot " + kind + " is no pair of numbers", where, kRemedy);
            lower = ends[0].get<double>(), upper = ends[1].get<double>();
        };
        KeptView view;
        pair("x", view.range.xLower, view.range.xUpper);
        pair("y", view.range.yLower, view.range.yUpper);
        view.reference = int(optional<int64_t>(v, "reference", -1, where));
        p.views.emplace(kind, view);
    }
    p.look = lookFrom(j, where);
    p.settings = settingsFrom(part(j, "settings", where), where);
    p.settings.calibrationFile = p.calibration.path;
    const Json& budget = part(j, "budget", where);
    p.budgetEdited = optional<bool>(budget, "edited", false, where);
    if (budget.contains("plan")) p.budget = budget["plan"];
    const Json& measure = part(j, "measure", where);
    p.evaluation = inputFrom(part(measure, "text", where), where);
    p.measure.text = p.evaluation.path;
    p.measure.protocol = text(measure, "protocol", where, p.measure.protocol);
    p.measure.windows = int(optional<int64_t>(measure, "windows", 0, where));
    p.measure.divergence = optional<bool>(measure, "divergence", false, where);
    p.measure.task = text(measure, "task", where);
    p.measure.shots = int(optional<int64_t>(measure, "shots", p.measure.shots, where));
    p.measure.examples = text(measure, "examples", where);
    for (const Json& r : listFrom(j, "results", where)) p.runs.push_back(runFrom(r, where));
    const Json& window = part(j, "window", where);
    p.layout = bytesFrom(window, "layout", where);
    p.geometry = bytesFrom(window, "geometry", where);
    return p;
}

QString fingerprint(const QString& path) {
    QCryptographicHash hash(QCryptographicHash::Sha256);
    const auto add = [&hash](const QFileInfo& info, qint64 whole) {
        hash.addData(info.fileName().toUtf8());
        hash.addData(QByteArray::number(info.size()));
        QFile file(info.filePath());
        if (info.size() <= whole && file.open(QIODevice::ReadOnly)) hash.addData(&file);
    };
    const QFileInfo info(path);
    if (!info.exists()) return {};
    if (info.isFile()) {
        QFile file(path);
        if (info.size() <= kReadWhole && file.open(QIODevice::ReadOnly))
            hash.addData(&file);
        else
            add(info, 0);
    } else if (QFileInfo recipe(path + QStringLiteral("/recipe.json")); recipe.exists()) {
        return fingerprint(recipe.filePath());
    } else {
        const QFileInfoList files = QDir(path).entryInfoList(QDir::Files, QDir::Name);
        for (const QFileInfo& file : files) add(file, file.suffix() == QLatin1String("json") ? kReadWhole : 0);
    }
    return QString::fromLatin1(hash.result().toHex());
}

}  // namespace owq
