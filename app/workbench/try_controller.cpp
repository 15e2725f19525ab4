// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/try_controller.h"

#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <algorithm>
#include <exception>
#include <utility>

#include "app/workbench/translate.h"
#include "core/base/error.h"

namespace owq {
namespace {

/// A model, and the task on it, as files name them.
QString idOf(const TryPanel::Choice& c) {
    return c.task.isEmpty() ? c.model : c.model + QStringLiteral(" + ") + c.task;
}

bool holds(const QStringList& files, const QString& file) {
    return std::any_of(files.begin(), files.end(), [&](const QString& other) { return QFileInfo(other) == QFileInfo(file); });
}

QString ratesOf(const GenerateResult& r) {
    const double prompt = r.promptSeconds > 0 ? double(r.promptTokens) / r.promptSeconds : 0;
    return QObject::tr("Prompt %1 tokens, %2/s · answer %3 tokens, %4/s · ended by: %5")
        .arg(r.promptTokens)
        .arg(prompt, 0, 'f', 1)
        .arg(r.ids.size())
        .arg(r.decodeRate(), 0, 'f', 1)
        .arg(QString::fromStdString(r.stopReason));
}

}  // namespace

TryController::TryController(JobRunner& runner, const JobFunctions& jobs, TryPanel& panel, QObject* parent)
    : QObject(parent), runner_(runner), jobs_(jobs), panel_(panel) {
    connect(&panel_, &TryPanel::generateWanted, this, &TryController::generate);
    connect(&panel_, &TryPanel::stopWanted, this, [this] { runner_.cancel(job_); });
    connect(&panel_, &TryPanel::judged, this, &TryController::judge);
    connect(&panel_, &TryPanel::saveWanted, this, &TryController::saveAs);
    connect(&panel_, &TryPanel::taskWanted, this, &TryController::chooseTask);
    connect(&panel_, &TryPanel::chosen, this, &TryController::chosen);
}

void TryController::setModels(const QStringList& names, const QStringList& paths) {
    names_ = names;
    paths_ = paths;
    showChoices();
    using Found = QHash<QString, QStringList>;
    runner_.submit<Found>(
        {tr("Look for tasks"), JobRunner::Lane::reading, QStringLiteral("tasks"), false},
        [paths, jobs = jobs_](JobRunner::Context& context) {
            Found found;
            for (const QString& path : paths)
                for (const std::filesystem::path& task : jobs.findTasks(toPath(path), context.stop)) found[path] << fromPath(task);
            return found;
        },
        [this](const Found& found) {
            tasks_ = found;
            showChoices();
        },
        [](const Failure&) {});  // without them there is nothing more to choose
}

void TryController::showChoices() {
    std::vector<TryPanel::Choice> choices;
    for (int i = 0; i < names_.size(); ++i) {
        choices.push_back({names_[i], paths_[i], {}});
        QStringList tasks = tasks_.value(paths_[i]);
        for (const QString& task : added_.value(paths_[i]))
            if (!holds(tasks, task)) tasks << task;
        for (const QString& task : tasks) choices.push_back({tr("%1 + task %2").arg(names_[i], taskName(task)), paths_[i], task});
    }
    panel_.setChoices(std::move(choices));
}

void TryController::addTask(const QString& model, const QString& file) {
    if (QStringList& tasks = added_[model]; !holds(tasks, file)) tasks << file;
    showChoices();
}

void TryController::chooseTask() {
    const QString file = QFileDialog::getOpenFileName(&panel_, tr("Task of weak columns"), QFileInfo(paths_.value(0)).path(),
                                                      tr("Tasks (*.safetensors);;All files (*)"));
    if (!file.isEmpty()) openTask(file);
}

void TryController::openTask(const QString& file) {
    runner_.submit<QStringList>(
        {tr("Read %1").arg(QFileInfo(file).fileName()), JobRunner::Lane::reading, QStringLiteral("task"), false},
        [file, paths = paths_, jobs = jobs_](JobRunner::Context& context) {
            QStringList models;
            std::exception_ptr refused;
            for (const QString& path : paths) {
                checkStop(context.stop);
                try {
                    jobs.checkTask(toPath(path), toPath(file));
                    models << path;
                } catch (const Error&) {
                    refused = std::current_exception();
                }
            }
            if (models.isEmpty() && refused) std::rethrow_exception(refused);
            return models;
        },
        [this, file](const QStringList& models) {
            for (const QString& model : models) addTask(model, file);
            if (!models.isEmpty()) panel_.chooseTask(models.last(), file);  // the newest run
        },
        [this](const Failure& failure) { Q_EMIT failed(failure); });
}

void TryController::generate(const TryPanel::Request& request) {
    round_ = Round{request, request.blind, false, false, request.blind, {}, {}};
    const std::string prompt = request.prompt.toStdString();
    if (round_->blind) round_->swapped = BlindTally::swapped(request.seed, pair(request, true)->rounds++, prompt);
    panel_.begin(request.prompt, request.both());
    panel_.setJudgeable(false);
    panel_.setRunning(true);
    showTitles();
    std::vector<GenerateOptions> both;
    for (int side = 0; side < (request.both() ? 2 : 1); ++side) {
        const TryPanel::Choice& choice = round_->shown(side);
        GenerateOptions o;
        o.model = toPath(choice.model);
        o.task = toPath(choice.task);
        o.prompt = prompt;
        o.maxTokens = request.maxTokens;
        o.temperature = request.temperature;
        o.topP = request.topP;
        o.seed = request.seed;
        both.push_back(o);
        panel_.setStatus(Side(side), request.blind ? tr("Hidden until both answers are done.") : tr("Writing…"));
    }
    const QString title = request.blind    ? tr("Write two answers, blind")
                          : request.both() ? tr("Write with %1 and %2").arg(request.first.name, request.second.name)
                                           : tr("Write with %1").arg(request.first.name);
    job_ = runner_.submit<int>(
        {title, JobRunner::Lane::compute, {}},
        [this, both, blind = request.blind, jobs = jobs_](JobRunner::Context& context) mutable {
            for (size_t side = 0; side < both.size(); ++side) {
                // What is loaded would tell which model it is.
                Progress progress([&](const ProgressUpdate& u) {
                    context.progress.report(blind ? "Writing" : u.phase, blind ? "" : u.item, (double(side) + u.fraction) / double(both.size()));
                });
                both[side].onText = [this, side, &context](const std::string& text) {
                    context.post([this, side, text = QString::fromStdString(text)] {
                        round_->text[side] += text;
                        if (!round_->held) panel_.addText(Side(side), text);
                    });
                };
                const GenerateResult result = jobs.generate(both[side], progress, context.stop);
                context.post([this, side, status = ratesOf(result)] {
                    round_->status[side] = status;
                    if (!round_->blind) panel_.setStatus(Side(side), status);
                });
            }
            return 0;
        },
        [this](const int&) {
            panel_.setRunning(false);
            if (!round_->blind) return;
            round_->judgeable = true;
            panel_.setJudgeable(true);
            showHeld();
            for (const int side : {0, 1}) panel_.setStatus(Side(side), {});
        },
        [this](const Failure& failure) {
            stopped(failure.happened);
            Q_EMIT failed(failure);
        },
        [this] { stopped(tr("Stopped.")); });
}

void TryController::stopped(const QString& status) {
    panel_.setRunning(false);
    for (const int side : {0, 1}) {
        QString& own = round_->status[size_t(side)];
        if (own.isEmpty()) own = status;
        if (!round_->blind) panel_.setStatus(Side(side), own);
    }
    if (round_->blind) reveal();  // there is nothing to judge
}

void TryController::showHeld() {
    if (!std::exchange(round_->held, false)) return;
    for (const int side : {0, 1}) panel_.addText(Side(side), round_->text[size_t(side)]);
}

/// Ends the blindness of the round: names, rates, and what was held back.
void TryController::reveal() {
    round_->blind = round_->judgeable = false;
    panel_.setJudgeable(false);
    showTitles();
    showHeld();
    for (const int side : {0, 1}) {
        const QString& status = round_->status[size_t(side)];
        panel_.setStatus(Side(side), status.isEmpty() ? tr("Writing…") : status);
    }
}

void TryController::judge(TryPanel::Verdict verdict) {
    if (!round_ || !round_->judgeable) return;
    Pair& judged = *pair(round_->request, true);
    const TryPanel::Request& r = round_->request;
    judged.tally.add({r.prompt.toStdString(), round_->text[0].toStdString(), round_->text[1].toStdString(), round_->swapped,
                      BlindTally::Verdict(int(verdict)),
                      {{"max_tokens", r.maxTokens}, {"temperature", r.temperature}, {"top_p", r.topP}, {"seed", r.seed}}});
    round_->judgeable = false;
    panel_.setJudgeable(false);
    showTally();
    panel_.focusPrompt();
    if (!judged.folder.isEmpty()) save(judged, judged.folder);
}

TryController::Pair* TryController::pair(const TryPanel::Request& request, bool make) {
    const std::pair key(idOf(request.first), idOf(request.second));
    const auto found = pairs_.find(key);
    if (found != pairs_.end()) return &found->second;
    if (!make || !request.both()) return nullptr;
    return &pairs_.emplace(key, Pair{BlindTally(key.first.toStdString(), key.second.toStdString()), request.first.name, request.second.name, {}, 0}).first->second;
}

void TryController::chosen() {
    if (round_ && round_->blind && !panel_.isBlind()) reveal();
    if (!round_) showTitles();
    showTally();
}

void TryController::showTitles() {
    if (!round_) {
        const TryPanel::Request r = panel_.request();
        panel_.begin({}, r.both());
        panel_.setTitle(Side::left, r.first.name);
        panel_.setTitle(Side::right, r.second.name);
        return;
    }
    for (const int side : {0, 1})
        panel_.setTitle(Side(side), !round_->blind ? round_->shown(side).name : side == 0 ? tr("Left") : tr("Right"));
}

void TryController::showTally() {
    const Pair* judged = pair(panel_.request(), false);
    const int count = judged ? int(judged->tally.size()) : 0;
    const BlindTally* t = judged ? &judged->tally : nullptr;
    if (panel_.isBlind())  // who leads would help to guess
        return panel_.setTally(count ? tr("%n judged; untick Blind to see for whom", nullptr, count) : tr("Which is better?"), count > 0);
    panel_.setTally(!count ? QString()
                           : tr("Of %n judged blind: %1 better in %2, %3 better in %4, %5 equal; sign test p = %6", nullptr, count)
                                 .arg(judged->first, QString::number(t->wins()), judged->second, QString::number(t->losses()), QString::number(t->ties()),
                                      QString::number(t->signTest(), 'g', 3)),
                    count > 0);
}

bool TryController::hasUnsavedVerdicts() const {
    for (const auto& [key, judged] : pairs_)
        if (!judged.tally.saved()) return true;
    return false;
}

void TryController::saveAs() {
    const QString folder = QFileDialog::getSaveFileName(&panel_, tr("Folder for the verdicts"), QDir::homePath() + QStringLiteral("/verdicts"), {}, nullptr,
                                                        QFileDialog::DontConfirmOverwrite);
    if (!folder.isEmpty()) save(folder);
}

void TryController::save(const QString& folder) {
    if (Pair* judged = pair(panel_.request(), false)) save(*judged, folder);
}

void TryController::save(Pair& judged, const QString& folder) {
    runner_.submit<int>(
        {tr("Save verdicts"), JobRunner::Lane::reading, {}, false},
        [tally = judged.tally, folder](JobRunner::Context&) {
            tally.write(toPath(folder));
            return int(tally.size());
        },
        [&judged, folder](const int& count) {  // pairs stay where they are in their map
            judged.folder = folder;
            judged.tally.setSaved(size_t(count));
        },
        [this](const Failure& failure) { Q_EMIT failed({tr("The verdicts were not saved: %1").arg(failure.happened), failure.where, failure.remedy}); });
}

}  // namespace owq
