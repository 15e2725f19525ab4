// SPDX-License-Identifier: GPL-3.0-or-later
// A project file: what was open and how it was looked at, as text. Inputs are named by path and hash, keys keep their order, so that two
// versions can be compared line by line.
#pragma once
#include <QByteArray>
#include <QStringList>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "app/workbench/project_look.h"
#include "core/base/json.h"
#include "core/budget/budget.h"
#include "widgets/results/result_row.h"
#include "widgets/results/results_view.h"
#include "widgets/run_panel/run_settings.h"

namespace owq {

struct Project {
    struct Input {
        QString path;
        QString hash;  ///< fingerprint of a model, SHA-256 of a file, of recipe.json of a run; empty: not there when it was saved
    };
    struct Run {
        Input input;
        QString name, note;
        Measurements measured;
    };

    Input model, calibration, evaluation;
    QString analysis;               ///< folder of the analysis that is shown with the unquantized model; may be empty
    QString shown, comparedWith;    ///< run directories; empty: the unquantized model, no comparison
    QStringList selection;
    int column = -1;
    QString xMode = QStringLiteral("index");
    bool errorShare = false;
    std::map<std::string, KeptView> views;  ///< by plot
    ProjectLook look;
    RunSettings settings;
    bool budgetEdited = false;
    Json budget;                    ///< as owq quantize --budget reads it
    MeasureSettings measure;
    std::vector<Run> runs;          ///< rows of the results, the original's first
    QByteArray layout, geometry;
};

constexpr const char* kProjectSuffix = ".owqproject";

Json toJson(const Project& project);
/// Throws Error naming `where` and what is wrong.
Project projectFromJson(const Json& value, const std::string& where);

/// SHA-256 over the small files that describe a model (config, index) and the names and sizes of the others: changes when the model does,
/// without reading its weights. Of a single file its content's up to 64 MiB, above that its size. Empty when nothing is there.
QString fingerprint(const QString& path);

}  // namespace owq
