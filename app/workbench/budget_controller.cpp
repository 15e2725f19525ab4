// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/budget_controller.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QScopedValueRollback>
#include <QTimer>
#include <QUndoStack>
#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "widgets/common/format.h"

namespace owq {

namespace {
constexpr int kMergeMs = 1500;   // key presses closer than this are one step
constexpr int kLearnMs = 8;      // of sorting sensitivities before the window gets its turn

Method methodOf(const QString& name) {
    return name == QLatin1String("rtn") ? Method::rtn : name == QLatin1String("optq") ? Method::optq : Method::owq;
}

BudgetChoice choiceOf(const BudgetSettings& s) { return {methodOf(s.method), s.bits, s.targetBits, s.groupSize}; }

BudgetSettings settingsOf(const BudgetChoice& c) {
    return {QString::fromStdString(methodName(c.method)), c.bits, c.targetBits, int(c.groupSize)};
}

BudgetSettings settingsOf(const RunSettings& s) { return {s.method, s.bits, s.targetBits, s.groupSize}; }

std::vector<std::string> strings(const QStringList& list) {
    std::vector<std::string> out;
    for (const QString& s : list) out.push_back(s.toStdString());
    return out;
}

Failure failureOf(const Error& e) {
    return {QString::fromStdString(e.happened()), QString::fromStdString(e.where()), QString::fromStdString(e.remedy())};
}

}  // namespace

/// One edit: the whole budget before and after. A model has some hundred linears, so that is little.
class BudgetStep : public QUndoCommand {
public:
    BudgetStep(BudgetController& owner, BudgetDraft::State after, const QString& text, QString merge)
        : QUndoCommand(text), owner_(owner), before_(owner.draft_.state()), after_(std::move(after)), merge_(std::move(merge)) {}

    void undo() override { owner_.apply(before_); }
    void redo() override { owner_.apply(after_); }
    int id() const override { return merge_.isEmpty() ? -1 : 1; }
    bool mergeWith(const QUndoCommand* other) override {
        const auto* next = static_cast<const BudgetStep*>(other);
        if (next->merge_ != merge_) return false;
        after_ = next->after_;
        setText(next->text());
        return true;
    }

private:
    BudgetController& owner_;
    BudgetDraft::State before_, after_;
    QString merge_;
};

BudgetController::BudgetController(JobRunner& runner, const JobFunctions& jobs, Workspace& workspace, RunPanel& run, BudgetPanel& panel,
                                   QUndoStack& undo, QObject* parent)
    : QObject(parent), runner_(runner), jobs_(jobs), workspace_(workspace), run_(run), panel_(panel), undo_(undo), learn_(new QTimer(this)) {
    learn_->setInterval(0);
    connect(learn_, &QTimer::timeout, this, &BudgetController::learnSome);
    connect(&workspace_, &Workspace::modelChanged, this, &BudgetController::open);
    connect(&workspace_, &Workspace::reportsChanged, this, [this](const QStringList& layers) {
        for (const QString& layer : layers) unlearnt_.push_back(layer.toStdString());
        learnSoon();
    });
    connect(&workspace_, &Workspace::shownChanged, this, [this] {
        unlearnt_.clear();
        for (const LinearInfo& l : workspace_.model().info.linears) unlearnt_.push_back(l.name);
        learnSoon();
    });
    connect(&run_, &RunPanel::changed, this, [this] { takeSettings(settingsOf(run_.settings())); });
    connect(&panel_, &BudgetPanel::settingsChanged, this, &BudgetController::takeSettings);
    connect(&panel_, &BudgetPanel::editWanted, this, &BudgetController::edit);
    connect(&panel_, &BudgetPanel::allocateWanted, this, &BudgetController::allocate);
    connect(&panel_, &BudgetPanel::importWanted, this, &BudgetController::chooseImport);
    connect(&panel_, &BudgetPanel::exportWanted, this, &BudgetController::chooseExport);
    panel_.setCanAllocate(BudgetPanel::Allocation::analysis, false, tr("Analyze the model first, or show a finished run"));
    panel_.setEnabled(false);
}

std::optional<BudgetPlan> BudgetController::editedPlan() const {
    return draft_.isOpen() && draft_.state().edited ? std::optional(draft_.state().plan) : std::nullopt;
}

void BudgetController::noteFile() {
    inFile_ = toJson(draft_.state().plan);
    Q_EMIT filed();
}

bool BudgetController::isInFile() const { return toJson(draft_.state().plan) == inFile_; }

void BudgetController::open() {
    undo_.clear();
    inFile_ = {};
    unlearnt_.clear();
    opening_ = true;
    QTimer::singleShot(0, this, [this] { opening_ = false; });
    const std::shared_ptr<const InspectResult> model = workspace_.modelPtr();
    draft_.open({model, &model->info}, choiceOf(settingsOf(run_.settings())));
    panel_.setEnabled(true);
    std::vector<BudgetRow> rows;
    for (size_t i = 0; i < draft_.model().linears.size(); ++i) rows.push_back(row(i));
    panel_.model().setRows(std::move(rows));
    apply(draft_.state());
    workspace_.setPlan(plan());
}

void BudgetController::takeSettings(const BudgetSettings& settings) {
    if (applying_ || !draft_.isOpen()) return;
    const BudgetChoice before = draft_.state().choice;
    BudgetChoice choice = choiceOf(settings);
    if (choice == before) return;
    // What is left for weak columns stays the same above other bits.
    if (choice.bits != before.bits && choice.targetBits == before.targetBits) choice.targetBits += choice.bits - before.bits;
    if (opening_) return apply(draft_.withChoice(choice));  // what is suggested for a model is no step of a person's
    push(draft_.withChoice(choice), tr("settings"), QStringLiteral("settings"));
}

void BudgetController::moveCut(const QString& layer, int weakColumns, bool finished) {
    if (!draft_.isOpen()) return;
    const QString text = tr("%1 weak columns of %2").arg(weakColumns).arg(shortName(layer));
    push(draft_.withWeakColumns({layer.toStdString()}, weakColumns), text, QStringLiteral("cut %1 %2").arg(drag_).arg(layer));
    if (finished) ++drag_;
}

void BudgetController::edit(const QStringList& names, BudgetTableModel::Field field, int value) {
    if (!draft_.isOpen() || names.isEmpty()) return;
    using Field = BudgetTableModel::Field;
    const QString whose = names.size() == 1 ? shortName(names.first()) : tr("%n layers", nullptr, int(names.size()));
    const QString merge = QString::number(int(field)) + names.join(QLatin1Char(' '));
    switch (field) {
        case Field::bits:
            return push(draft_.withBits(strings(names), value),
                        value == BudgetRow::kKept ? tr("keep %1").arg(whose) : tr("%1 bits for %2").arg(value).arg(whose));
        case Field::weakColumns:
            return push(draft_.withWeakColumns(strings(names), value), tr("%1 weak columns of %2").arg(value).arg(whose), merge);
        case Field::locked:
            return push(draft_.withLocked(strings(names), value), value ? tr("lock %1").arg(whose) : tr("unlock %1").arg(whose));
    }
}

void BudgetController::allocate(BudgetPanel::Allocation how) {
    if (!draft_.isOpen()) return;
    switch (how) {
        case BudgetPanel::Allocation::paper:
            return push(draft_.allocatedByPaper(), tr("allocation by the paper's rule"));
        case BudgetPanel::Allocation::analysis:
            return push(draft_.allocatedByAnalysis(), tr("allocation by the analysis"));
        case BudgetPanel::Allocation::measured:
            return allocateMeasured();
    }
}

void BudgetController::allocateMeasured() {
    const RunSettings settings = run_.settings();
    QuantizeOptions options;
    options.model = toPath(workspace_.path());
    options.calibration = calibrationOf(settings);
    options.recipe = recipeOf(settings);
    options.recipe.allocation = "greedy";
    options.plan = draft_.allocatedByPaper().plan;
    options.dryRun = true;
    const QString model = workspace_.path();
    runner_.submit<QuantizeResult>(
        {tr("Allocate for %1").arg(workspace_.title()), JobRunner::Lane::compute, QStringLiteral("allocate")},
        [options, jobs = jobs_](JobRunner::Context& context) { return jobs.quantize(options, context.progress, context.stop); },
        [this, model](const QuantizeResult& result) {
            if (workspace_.path() != model) return;
            BudgetPlan plan = draft_.state().plan;
            for (size_t i = 0; i < std::min(plan.linears.size(), result.layers.size()); ++i) {
                if (plan.linears[i].locked) continue;
                plan.linears[i].bits = result.layers[i].bits;
                plan.linears[i].weakColumns = result.plannedWeakColumns[i];
            }
            push(draft_.withPlan(std::move(plan)), tr("allocation by measured loss"));
        },
        [this](const Failure& failure) { Q_EMIT failed(failure); });
}

void BudgetController::push(BudgetDraft::State next, const QString& text, const QString& merge) {
    // What a person does after a pause is a step of its own.
    if (!lastStep_.isValid() || lastStep_.elapsed() > kMergeMs) ++pauses_;
    lastStep_.restart();
    const bool dragged = merge.startsWith(QLatin1String("cut "));
    const QString key = merge.isEmpty() || dragged ? merge : QStringLiteral("%1 %2").arg(merge).arg(pauses_);
    undo_.push(new BudgetStep(*this, std::move(next), text, key));
}

void BudgetController::apply(const BudgetDraft::State& state) {
    const QScopedValueRollback quiet(applying_, true);
    const BudgetDraft::State before = draft_.state();
    draft_.set(state);
    QStringList layers;
    const bool everyRow = before.choice.groupSize != state.choice.groupSize;  // what a linear takes changes with it
    QStringList rows;
    for (size_t i = 0; i < state.plan.linears.size(); ++i) {
        const LinearBudget& now = state.plan.linears[i];
        const bool known = i < before.plan.linears.size();
        const bool planned = !known || now.bits != before.plan.linears[i].bits || now.weakColumns != before.plan.linears[i].weakColumns;
        if (planned) layers << QString::fromStdString(now.name);
        if (everyRow || planned || now.locked != before.plan.linears[i].locked) rows << QString::fromStdString(now.name);
    }
    RunSettings settings = run_.settings();
    const BudgetSettings chosen = settingsOf(state.choice);
    if (settingsOf(settings) != chosen) {
        settings.method = chosen.method;
        settings.bits = chosen.bits;
        settings.targetBits = chosen.targetBits;
        settings.groupSize = chosen.groupSize;
        run_.setSettings(settings);
    }
    panel_.setSettings(chosen);
    show(rows);
    workspace_.setPlanned(layers, plan());
    Q_EMIT cutMovableChanged(state.choice.method == Method::owq);
    Q_EMIT changed();
}

void BudgetController::restore(const BudgetDraft::State& state) {
    undo_.clear();
    apply(state);
    workspace_.setPlan(plan());
}

QHash<QString, PlannedLinear> BudgetController::plan() const {
    QHash<QString, PlannedLinear> plan;
    for (const LinearBudget& b : draft_.state().plan.linears)
        plan.insert(QString::fromStdString(b.name), {b.bits, int(b.weakColumns)});
    return plan;
}

BudgetRow BudgetController::row(size_t i) const {
    const LinearInfo& l = draft_.model().linears[i];
    const LinearBudget& b = draft_.state().plan.linears[i];
    BudgetRow row;
    row.name = QString::fromStdString(l.name);
    row.kind = QString::fromStdString(l.kind);
    row.block = l.block;
    row.bits = b.bits;
    row.weakColumns = int(b.weakColumns);
    row.mostWeakColumns = draft_.state().choice.method == Method::owq ? int(std::max<int64_t>(0, l.columns - 1)) : 0;
    row.locked = b.locked;
    row.effectiveBits = draft_.storedBits(l, b);
    row.predictedError = draft_.predictedError(b).value_or(BudgetRow::kUnknown);
    return row;
}

void BudgetController::show(const QStringList& layers) {
    std::vector<BudgetRow> rows;
    for (const QString& layer : layers)
        if (const int i = panel_.model().placeOf(layer); i >= 0) rows.push_back(row(size_t(i)));
    panel_.model().update(rows);
    showTotals();
}

void BudgetController::showTotals() {
    const BudgetDraft::Totals t = draft_.totals();
    BudgetTotals totals;
    totals.paperBits = t.bits.paper > 0 ? t.bits.paper : BudgetRow::kUnknown;
    totals.storedBits = t.bits.stored > 0 ? t.bits.stored : BudgetRow::kUnknown;
    totals.fileBytes = double(t.fileBytes);
    totals.planBytes = double(t.planBytes);
    totals.originalBytes = double(draft_.model().bytes);
    totals.predictedError = t.predictedError.value_or(BudgetRow::kUnknown);
    panel_.setTotals(totals);
    QString text = tr("As the settings say.");
    if (draft_.state().edited) {
        text = tr("Edited: a run takes this plan.");
        const double rest = totals.planBytes - totals.fileBytes;
        if (std::abs(rest) >= 1)
            text += QLatin1Char(' ') + (rest > 0 ? tr("%1 left of the target.") : tr("%1 over the target.")).arg(bytesText(std::abs(rest)));
    }
    panel_.setStateText(text);
}

void BudgetController::learnSoon() {
    if (!unlearnt_.empty()) learn_->start();
}

void BudgetController::learnSome() {
    QElapsedTimer clock;
    clock.start();
    QStringList learnt;
    while (!unlearnt_.empty() && clock.elapsed() < kLearnMs) {
        const std::string name = std::move(unlearnt_.front());
        unlearnt_.pop_front();
        const QString layer = QString::fromStdString(name);
        const auto report = workspace_.reportOf(layer);
        if (!report || report->statistics.sensitivity.empty()) continue;
        // An analysis tells of the codes it ranked with; so does a run.
        draft_.learn(name, report->bits, report->statistics.sensitivity);
        learnt << layer;
    }
    if (unlearnt_.empty()) {
        learn_->stop();
        panel_.setCanAllocate(BudgetPanel::Allocation::analysis, draft_.knowsAll(), tr("Analyze the model first, or show a finished run"));
    }
    show(learnt);
}

bool BudgetController::readFile(const QString& path) {
    if (!draft_.isOpen()) return false;
    try {
        const std::filesystem::path file = toPath(path);
        push(draft_.withPlan(budgetFromJson(readJson(file), draft_.model(), file.string())), tr("import of %1").arg(QFileInfo(path).fileName()));
        noteFile();
        return true;
    } catch (const Error& e) {
        Q_EMIT failed(failureOf(e));
        return false;
    }
}

bool BudgetController::writeFile(const QString& path) {
    if (!draft_.isOpen()) return false;
    try {
        writeJson(toPath(path), toJson(draft_.state().plan));
        noteFile();
        return true;
    } catch (const Error& e) {
        Q_EMIT failed(failureOf(e));
        return false;
    }
}

void BudgetController::chooseImport() {
    const QString path = QFileDialog::getOpenFileName(panel_.window(), tr("Import a budget"), {}, tr("Budget (*.json);;All files (*)"));
    if (!path.isEmpty()) readFile(path);
}

void BudgetController::chooseExport() {
    const QString path = QFileDialog::getSaveFileName(panel_.window(), tr("Export the budget"),
                                                      workspace_.title() + QStringLiteral(" budget.json"), tr("Budget (*.json)"));
    if (!path.isEmpty()) writeFile(path);
}

}  // namespace owq
