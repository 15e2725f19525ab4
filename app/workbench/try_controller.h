// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QHash>
#include <QObject>
#include <QStringList>
#include <array>
#include <map>
#include <optional>

#include "app/workbench/blind_tally.h"
#include "app/workbench/job_functions.h"
#include "app/workbench/job_runner.h"
#include "widgets/try_it/try_panel.h"

namespace owq {

/// Lets one or two chosen models go on from a prompt, one after the other; text appears as it comes. Blind, both answers appear when both are
/// done, nothing tells which model wrote which, and verdicts are counted for each pair of models.
class TryController : public QObject {
    Q_OBJECT
public:
    TryController(JobRunner& runner, const JobFunctions& jobs, TryPanel& panel, QObject* parent = nullptr);

    void setModels(const QStringList& names, const QStringList& paths);  ///< tasks beside them are looked for
    /// A task that was tuned on the model, wherever it lies.
    void addTask(const QString& model, const QString& file);
    /// Offers the task with the models that it was tuned on, and chooses it; fails where there is none.
    void openTask(const QString& file);
    bool hasUnsavedVerdicts() const;
    /// Verdicts on the pair of models that is chosen, and later ones as they come.
    void save(const QString& folder);

Q_SIGNALS:
    void failed(const owq::Failure& failure);

private:
    using Side = TryPanel::Side;
    struct Pair {
        BlindTally tally;
        QString first, second;  ///< names for a person
        QString folder;         ///< where verdicts are saved; empty: nowhere yet
        quint64 rounds = 0;     ///< begun blind
    };
    /// A prompt under work or answered.
    struct Round {
        TryPanel::Request request;
        bool blind = false, swapped = false, judgeable = false;
        bool held = false;  ///< answers are not shown yet
        std::array<QString, 2> text, status;  ///< by side
        const TryPanel::Choice& shown(int side) const { return (side == 1) != swapped ? request.second : request.first; }
    };
    void generate(const TryPanel::Request& request);
    void reveal();
    void showHeld();
    void stopped(const QString& status);
    void judge(TryPanel::Verdict verdict);
    void chosen();
    void showTally();
    void showTitles();
    void showChoices();
    void chooseTask();
    void saveAs();
    void save(Pair& judged, const QString& folder);
    Pair* pair(const TryPanel::Request& request, bool make);

    JobRunner& runner_;
    const JobFunctions& jobs_;
    TryPanel& panel_;
    quint64 job_ = 0;
    QStringList names_, paths_;
    QHash<QString, QStringList> tasks_;  ///< of a path, beside it
    QHash<QString, QStringList> added_;  ///< of a path, from elsewhere
    std::optional<Round> round_;
    std::map<std::pair<QString, QString>, Pair> pairs_;
};

}  // namespace owq
