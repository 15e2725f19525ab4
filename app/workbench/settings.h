// SPDX-License-Identifier: GPL-3.0-or-later
// Every key that the window keeps between two starts, and nothing else, is named here.
#pragma once
#include <QCryptographicHash>
#include <QString>

namespace owq::keys {

/// The key of a path within a group; a settings key must hold no slash of its own.
inline QString of(const char* group, const QString& path) {
    const QByteArray hash = QCryptographicHash::hash(path.toUtf8(), QCryptographicHash::Sha1).toHex().left(16);
    return QStringLiteral("%1/%2").arg(QLatin1String(group), QLatin1String(hash));
}

inline constexpr const char* geometry = "window/geometry";
inline constexpr const char* layout = "window/layout";
inline constexpr int layoutVersion =
    4;  ///< raised when docks change, so that an old layout is not forced on new docks
inline constexpr const char* theme = "window/theme";
inline constexpr const char* recent = "open/recent";
inline constexpr const char* folder = "open/folder";
inline constexpr const char* knownRuns = "runs/known";
inline constexpr const char* runNames = "runs/names";           ///< group: hash of a path to its name
inline constexpr const char* runNotes = "runs/notes";           ///< group: hash of a path to its note
inline constexpr const char* measured = "runs";                 ///< group, for each of kMeasuredNumbers and details: hash of a path to text and value
inline constexpr const char* runCalibrations = "runs/calibration";  ///< group: hash of a path to the text it was started with
inline constexpr const char* calibrationText = "run/calibration_text";
inline constexpr const char* samples = "run/samples";
inline constexpr const char* pace = "machine/pace";  ///< group: kind of run to what it took
inline constexpr const char* lessonOf = "lesson/of";      ///< model and layer
inline constexpr const char* lessonStep = "lesson/step";  ///< where it was left
inline constexpr const char* evaluationText = "evaluate/text";
inline constexpr const char* evaluationProtocol = "evaluate/protocol";
inline constexpr const char* evaluationWindows = "evaluate/windows";
inline constexpr const char* evaluationDivergence = "evaluate/divergence";
inline constexpr const char* evaluationTask = "evaluate/task";
inline constexpr const char* evaluationShots = "evaluate/shots";
inline constexpr const char* evaluationExamples = "evaluate/examples";

inline constexpr int recentCount = 12;

}  // namespace owq::keys
