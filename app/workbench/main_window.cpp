// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/main_window.h"

#include <QActionGroup>
#include <QApplication>
#include <QCloseEvent>
#include <QFileInfo>
#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QMimeData>
#include <QProgressBar>
#include <QSettings>
#include <QStackedWidget>
#include <QStatusBar>
#include <QVBoxLayout>
#include <algorithm>

#include "app/workbench/budget_controller.h"
#include "app/workbench/comparison_controller.h"
#include "app/workbench/file_controller.h"
#include "app/workbench/forecast_controller.h"
#include "app/workbench/help_controller.h"
#include "app/workbench/layer_controller.h"
#include "app/workbench/lesson_controller.h"
#include "app/workbench/model_header.h"
#include "app/workbench/opener.h"
#include "app/workbench/plot_area.h"
#include "app/workbench/project_controller.h"
#include "app/workbench/results_controller.h"
#include "app/workbench/run_controller.h"
#include "app/workbench/settings.h"
#include "app/workbench/tour_controller.h"
#include "app/workbench/try_controller.h"
#include "app/workbench/tune_controller.h"
#include "app/workbench/window_layout.h"
#include "widgets/budget/budget_panel.h"
#include "widgets/command_palette/command_palette.h"
#include "widgets/common/format.h"
#include "widgets/compare/compare_panel.h"
#include "widgets/figure/figure_dialog.h"
#include "widgets/jobs/jobs_view.h"
#include "widgets/layer_tree/layer_tree.h"
#include "widgets/results/results_view.h"
#include "widgets/run_panel/run_panel.h"
#include "widgets/start_page/start_page.h"
#include "widgets/theme/icon.h"
#include "widgets/theme/theme.h"
#include "widgets/try_it/try_panel.h"
#include "widgets/tune/tune_panel.h"

namespace owq {

MainWindow::MainWindow(JobFunctions jobs, Theme* theme, QWidget* parent)
    : QMainWindow(parent),
      jobs_(std::move(jobs)),
      theme_(theme),
      runner_(new JobRunner(this)),
      actions_(*this, undo_),
      layout_(new WindowLayout(*this, actions_.panels)),
      pages_(new QStackedWidget),
      start_(new StartPage),
      bar_(new MessageBar),
      tree_(new LayerTree),
      panel_(new RunPanel),
      budgetPanel_(new BudgetPanel(actions_.undo, actions_.redo)),
      resultsView_(new ResultsView),
      jobsView_(new JobsView),
      comparePanel_(new ComparePanel),
      tryPanel_(new TryPanel),
      tunePanel_(new TunePanel),
      plots_(new PlotArea),
      status_(new QLabel),
      progress_(new QProgressBar) {
    setWindowTitle(tr("OWQ Workbench"));
    setWindowIcon(QIcon(QStringLiteral(":/icons/owq-workbench.svg")));
    setAcceptDrops(true);
    runner_->submit<int>(
        {tr("Start"), JobRunner::Lane::compute, {}, false},
        [setThreads = jobs_.setThreads](JobRunner::Context&) {
            setThreads(0);
            return 0;
        },
        [](const int&) {});
    opener_ = new Opener(*runner_, jobs_, workspace_, this);
    budget_ = new BudgetController(*runner_, jobs_, workspace_, *panel_, *budgetPanel_, undo_, this);
    runController_ = new RunController(*runner_, jobs_, workspace_, *panel_, *budget_, this);
    new ForecastController(*runner_, jobs_, workspace_, *panel_, *budgetPanel_, *budget_, this);
    results_ = new ResultsController(*runner_, jobs_, workspace_, *resultsView_, this);
    comparison_ = new ComparisonController(*runner_, jobs_, workspace_, *comparePanel_, this);
    tryController_ = new TryController(*runner_, jobs_, *tryPanel_, this);
    tuneController_ = new TuneController(*runner_, jobs_, *tunePanel_, this);
    new LayerController(
        workspace_, *opener_, *tree_, [this](const auto& curves) { plots_->setCurves(curves); },
        [this](const QString& layer, int weak) { plots_->group().showWeak(layer, weak); }, this);

    auto* header = new ModelHeader(workspace_, *results_, *runController_);
    connect(header, &ModelHeader::sourceWanted, this, [this](const QString& source) {
        if (source == Workspace::kAnalysis || workspace_.hasReports(source) || runController_->underWay().contains(source))
            workspace_.show(source);
        else
            opener_->loadRun(source);
    });
    auto* work = new QWidget;
    auto* workLayout = new QVBoxLayout(work);
    workLayout->setContentsMargins(0, 0, 0, 0);
    workLayout->setSpacing(0);
    workLayout->addWidget(header);
    workLayout->addWidget(plots_, 1);
    pages_->addWidget(start_);
    pages_->addWidget(work);
    auto* centre = new QWidget;
    auto* centreLayout = new QVBoxLayout(centre);
    centreLayout->setContentsMargins(0, 0, 0, 0);
    centreLayout->setSpacing(0);
    centreLayout->addWidget(bar_);
    centreLayout->addWidget(pages_, 1);
    setCentralWidget(centre);
    for (const auto& [widget, topic] : std::initializer_list<std::pair<QWidget*, const char*>>{
             {tree_, "window#layers"}, {plots_, "window#plots"}, {budgetPanel_, "window#the-budget"}, {panel_, "method#three-methods"},
             {resultsView_, "window#results-and-comparison"}, {comparePanel_, "window#results-and-comparison"}, {tryPanel_, "window#try-it"}, {tunePanel_, "window#tuning"},
             {jobsView_, "window#jobs-and-messages"}, {start_, "window#opening"}})
        HelpController::setTopic(widget, topic);

    progress_->setRange(0, 1000);
    progress_->setTextVisible(false);
    progress_->setFixedWidth(180);
    progress_->setAccessibleName(tr("Progress of the running job"));
    progress_->hide();
    statusBar()->addWidget(status_, 1);
    statusBar()->addPermanentWidget(progress_);

    makeDocks();
    help_ = new HelpController(*this, actions_);
    lesson_ = new LessonController(*runner_, jobs_, workspace_, actions_.help, *this);
    tour_ = new TourController(*layout_, *plots_, this);
    projects_ = new ProjectController({*runner_, workspace_, *opener_, *runController_, *panel_, *budget_, *results_, *resultsView_, *comparison_,
                                       *tree_, *plots_, *budgetPanel_, *comparePanel_, *tryPanel_, *tunePanel_, *layout_},
                                      this);
    files_ = new FileController(*this, actions_, *start_, *runner_, *opener_, *projects_);
    connectActions();
    connectControllers();
    layout_->restore();
    const QString look = QSettings().value(QLatin1String(keys::theme)).toString();
    (look == QLatin1String("dark")    ? actions_.themeDark
     : look == QLatin1String("light") ? actions_.themeLight
                                      : actions_.themeSystem)
        ->setChecked(true);
    showWork(false);
}

MainWindow::~MainWindow() {
    runner_->shutDown();  // before any panel that a job's result would reach
}

void MainWindow::makeDocks() {
    const auto left = Qt::LeftDockWidgetArea, right = Qt::RightDockWidgetArea, bottom = Qt::BottomDockWidgetArea;
    layout_->add("layers", tr("Layers"), "layers", tree_, left, QStringLiteral("Ctrl+1"));
    layout_->add("run", tr("Quantize"), "run", panel_, right, QStringLiteral("Ctrl+2"));
    layout_->add("budget", tr("Budget"), "budget", budgetPanel_, right, QStringLiteral("Ctrl+3"));
    layout_->add("results", tr("Results"), "results", resultsView_, bottom, QStringLiteral("Ctrl+4"));
    layout_->add("compare", tr("Comparison"), "compare", comparePanel_, bottom, QStringLiteral("Ctrl+5"));
    layout_->add("jobs", tr("Jobs and messages"), "recent", jobsView_, bottom, QStringLiteral("Ctrl+6"));
    layout_->add("try", tr("Try it"), "chat", tryPanel_, bottom, QStringLiteral("Ctrl+7"));
    layout_->add("tune", tr("Tune"), "analyze", tunePanel_, right, QStringLiteral("Ctrl+8"));
}

void MainWindow::showWork(bool work) {
    layout_->setWorking(work);
    pages_->setCurrentIndex(work ? 1 : 0);
    if (!work) start_->setOpen(workspace_.isOpen() ? workspace_.title() : QString());
    actions_.startPage->setEnabled(workspace_.isOpen());
    updateComparing();
    for (QAction* action : {actions_.measure, actions_.compare, actions_.showRun, actions_.exportRun, actions_.exportFigures, actions_.exportErrorSaved, actions_.filter, actions_.resetLayout, actions_.allocate,
                            actions_.importBudget, actions_.exportBudget, actions_.saveProject, actions_.saveProjectAs})
        action->setEnabled(work);
    actions_.cancel->setEnabled(runner_->computing());
    for (QAction* action : {actions_.run, actions_.analyze})
        action->setEnabled(work && !runner_->computing());
}

void MainWindow::updateComparing() {
    for (QAction* action : {actions_.swapRuns, actions_.endComparison}) action->setEnabled(layout_->isWorking() && workspace_.isComparing());
}

QList<QAction*> MainWindow::commands() const {
    QList<QAction*> all = actions_.all();
    const auto add = [&all](const QWidget* widget) {
        for (QAction* action : widget->actions())
            if (!action->text().isEmpty() && action->isVisible() && !all.contains(action)) all << action;
    };
    if (layout_->isWorking()) add(budgetPanel_);
    for (const QWidget* w = QApplication::focusWidget(); w && w != this; w = w->parentWidget()) add(w);
    return all;
}

void MainWindow::connectActions() {
    const auto on = [this](QAction* action, auto handler) {
        connect(action, &QAction::triggered, this, handler);
    };
    on(actions_.startPage, [this] { showWork(!layout_->isWorking()); });
    on(actions_.exportRun, [this] {
        const QStringList paths = resultsView_->selectedPaths();
        if (paths.size() == 1) return results_->exportRun(paths.first());
        bar_->show(
            {MessageBar::Kind::info, tr("Select one finished run in Results, then export it."), {}, {}, {}});
    });
    on(actions_.quit, [this] { close(); });
    on(actions_.allocate, [this] { budget_->allocate(BudgetPanel::Allocation::paper); });
    connect(actions_.importBudget, &QAction::triggered, budgetPanel_, &BudgetPanel::importWanted);
    connect(actions_.exportBudget, &QAction::triggered, budgetPanel_, &BudgetPanel::exportWanted);
    on(actions_.analyze, [this] { panel_->pressAnalyze(); });
    on(actions_.run, [this] { panel_->pressRun(); });
    on(actions_.measure, [this] { resultsView_->pressMeasure(); });
    on(actions_.compare, [this] {
        if (resultsView_->selectedPaths().size() == 2) return resultsView_->pressCompare();
        bar_->show({MessageBar::Kind::info, tr("Select two finished runs in Results, then compare them."), {}, {}, {}});
    });
    on(actions_.showRun, [this] {
        if (resultsView_->selectedPaths().size() == 1) return resultsView_->pressShow();
        bar_->show({MessageBar::Kind::info, tr("Select one run in Results, then show it."), {}, {}, {}});
    });
    connect(actions_.swapRuns, &QAction::triggered, comparePanel_, &ComparePanel::swapWanted);
    connect(actions_.endComparison, &QAction::triggered, comparePanel_, &ComparePanel::endWanted);
    on(actions_.cancel, [this] { runController_->cancel(); });
    on(actions_.filter, [this] {
        layout_->raise("layers");
        tree_->filterBox().setFocus(Qt::ShortcutFocusReason);
        tree_->filterBox().selectAll();
    });
    on(actions_.palette, [this] { (new CommandPalette(commands(), this))->show(); });
    on(actions_.resetLayout, [this] { layout_->reset(); });
    connect(actions_.fullScreen, &QAction::toggled, this,
            [this](bool full) { full ? showFullScreen() : showNormal(); });
    on(actions_.help, [this] { help_->showHere(); });
    on(actions_.lesson, [this] { openLesson(); });
    on(actions_.tour, [this] { startTour(); });
    on(actions_.shortcuts, [this] { help_->showShortcuts(); });
    on(actions_.about, [this] { help_->showAbout(); });
    connect(actions_.themes, &QActionGroup::triggered, this, [this](QAction* action) {
        const bool dark = action == actions_.themeDark, light = action == actions_.themeLight;
        QSettings().setValue(QLatin1String(keys::theme), dark    ? QStringLiteral("dark")
                                                         : light ? QStringLiteral("light")
                                                                 : QString());
        if (theme_)
            theme_->choose(dark ? ThemeChoice::dark : light ? ThemeChoice::light : ThemeChoice::system);
    });
}

void MainWindow::connectControllers() {
    connect(opener_, &Opener::opened, this, [this](const QString& path) {
        bar_->hide();
        setWindowTitle(tr("%1[*] – OWQ Workbench").arg(workspace_.title()));
        status_->setText(path);
        showWork(true);
        tour_->modelOpened();
    });
    connect(opener_, &Opener::failed, tour_, &TourController::modelFailed);
    connect(&workspace_, &Workspace::shownChanged, this, &MainWindow::updateComparing);
    connect(&workspace_, &Workspace::modelChanged, this, &MainWindow::updateComparing);
    connect(start_, &StartPage::backWanted, this, [this] { showWork(true); });
    connect(start_, &StartPage::lessonWanted, this, &MainWindow::openLesson);
    connect(start_, &StartPage::tourWanted, this, &MainWindow::startTour);
    connect(opener_, &Opener::runOpened, this, [this](const RunSummary& run) {
        results_->addRun(run);
        resultsView_->select(fromPath(run.directory));
        if (!run.finished && !run.analysis) offerResume(run);
    });
    connect(opener_, &Opener::notice, this, [this](const Failure& notice) {
        bar_->show({MessageBar::Kind::warning, notice.happened, notice.where, notice.remedy, {}});
    });
    connect(projects_, &ProjectController::failed, this, &MainWindow::showFailure);
    connect(projects_, &ProjectController::modifiedChanged, this, &QWidget::setWindowModified);
    connect(files_, &FileController::failed, this, &MainWindow::showFailure);
    connect(projects_, &ProjectController::notice, this, [this](const Failure& notice) {
        bar_->show({MessageBar::Kind::warning, notice.happened, notice.where, notice.remedy, {}});
    });
    connect(projects_, &ProjectController::fileChanged, this, [this](const QString& file) {
        setWindowTitle(file.isEmpty() ? tr("%1[*] – OWQ Workbench").arg(workspace_.title())
                                      : tr("%1 (%2)[*] – OWQ Workbench").arg(QFileInfo(file).completeBaseName(), workspace_.title()));
        if (!file.isEmpty()) status_->setText(file);
    });
    connect(opener_, &Opener::failed, this, &MainWindow::showFailure);
    connect(budget_, &BudgetController::failed, this, &MainWindow::showFailure);
    connect(budget_, &BudgetController::cutMovableChanged, &plots_->group(), &PlotGroup::setCutMovable);
    connect(&plots_->group(), &PlotGroup::cutMoved, budget_, &BudgetController::moveCut);
    connect(resultsView_, &ResultsView::compareWanted, comparison_, [this](const QString& a, const QString& b) { comparison_->compare(a, b); });
    connect(comparison_, &ComparisonController::failed, this, &MainWindow::showFailure);
    connect(comparison_, &ComparisonController::begun, this, [this] { layout_->raise("compare"); });
    connect(comparePanel_, &ComparePanel::layersSelected, tree_, &LayerTree::select);
    connect(tree_, &LayerTree::selectionChanged, budgetPanel_, &BudgetPanel::selectLayers);
    connect(budgetPanel_, &BudgetPanel::layersSelected, tree_, &LayerTree::select);
    connect(runController_, &RunController::failed, this, &MainWindow::showFailure);
    connect(results_, &ResultsController::failed, this, &MainWindow::showFailure);
    connect(tryController_, &TryController::failed, this, &MainWindow::showFailure);
    connect(runner_, &JobRunner::failed, this, &MainWindow::showFailure);

    connect(runController_, &RunController::runStarted, this, [this] { bar_->hide(); });
    connect(runController_, &RunController::runFinished, this, [this](const QString& directory, const QString& model) { results_->addRun(directory, model); });
    // After a failure the bar keeps saying what failed.
    connect(runController_, &RunController::runStopped, this,
            [this](const QString& directory, const QString& model, bool failed) { results_->addRun(directory, model, !failed); });
    connect(results_, &ResultsController::unfinishedFound, this, &MainWindow::offerResume);
    connect(runController_, &RunController::warned, this, &MainWindow::showWarnings);
    connect(results_, &ResultsController::warned, this, &MainWindow::showWarnings);
    connect(results_, &ResultsController::showWanted, this, [this](const QString& path) {
        if (path == workspace_.path())
            workspace_.show(Workspace::kAnalysis);
        else
            opener_->loadRun(path);
    });
    connect(results_, &ResultsController::measured, this,
            [this](const QString& name, const QString& text, double perplexity, const QStringList& divergence) {
                const QString measured = tr("Perplexity of %1 on %2: %3").arg(name, text, QString::number(perplexity, 'f', 4));
                jobsView_->addMessage(JobsView::Severity::info, (QStringList(measured) + divergence).join(QStringLiteral("; ")));
            });
    connect(results_, &ResultsController::answered, this, [this](const QString& name, const QString& questions, const QString& share) {
        jobsView_->addMessage(JobsView::Severity::info, tr("%1 answers %2 of %3 rightly").arg(name, share, questions));
    });
    connect(results_, &ResultsController::modelsChanged, this, [this] {
        QStringList names, paths;
        results_->usableModels(names, paths);
        tryController_->setModels(names, paths);
        tuneController_->setModels(names, paths, workspace_.path());
    });
    connect(tuneController_, &TuneController::failed, this, &MainWindow::showFailure);
    connect(tuneController_, &TuneController::warned, this, [this](const QStringList& warnings) {
        for (const QString& warning : warnings) jobsView_->addMessage(JobsView::Severity::warning, warning);
    });
    connect(tuneController_, &TuneController::finished, tryController_, &TryController::addTask);
    connect(tuneController_, &TuneController::finished, this,
            [this](const QString&, const QString& task) { jobsView_->addMessage(JobsView::Severity::info, tr("Tuned weak columns: %1").arg(task)); });
    connect(runner_, &JobRunner::jobChanged, this, &MainWindow::updateJob);
    connect(runner_, &JobRunner::computingChanged, this, [this](bool computing) {
        actions_.cancel->setEnabled(computing);
        for (QAction* action : {actions_.run, actions_.analyze}) action->setEnabled(layout_->isWorking() && !computing);
        progress_->setVisible(computing);
    });
    connect(plots_, &PlotArea::failed, this, [this](const QString& message) {
        showFailure({message, {}, {}});
    });
    const FigureOptions errorSaved{.kind = PlotKind::ErrorSaved, .xMode = XMode::Rank};
    connect(plots_, &PlotArea::figureRequested, this, [this](Plot* plot) { showFigures({PlotArea::figureOf(*plot)}); });
    connect(actions_.exportErrorSaved, &QAction::triggered, this, [=, this] { showFigures({errorSaved}); });
    connect(actions_.exportFigures, &QAction::triggered, this, [=, this] {
        std::vector<FigureOptions> figures = plots_->figures();
        figures.push_back(errorSaved);
        showFigures(std::move(figures));
    });
    connect(plots_, &PlotArea::columnSelected, this, [this](const QString& layer, int column) {
        status_->setText(column < 0 ? QString() : tr("%1, column %2").arg(layer).arg(column));
    });
    connect(plots_, &PlotArea::layersDropped, tree_, &LayerTree::addToSelection);
    connect(jobsView_, &JobsView::cancelWanted, runner_, &JobRunner::cancel);
}

void MainWindow::showFigures(std::vector<FigureOptions> figures) {
    const bool ofAll = std::any_of(figures.begin(), figures.end(), [](const FigureOptions& f) { return f.kind == PlotKind::ErrorSaved; });
    const auto make = [figures = std::move(figures), shown = plots_->curves(), all = ofAll ? workspace_.allCurves() : nullptr] {
        std::vector<FigureDialog::Figure> made;
        for (const FigureOptions& options : figures) {
            const bool errorSaved = options.kind == PlotKind::ErrorSaved;
            made.push_back({options, curveFigure(options, errorSaved ? all() : shown)});
            if (errorSaved) made.back().source.name = plotKindName(options.kind);  // of all linears
        }
        return made;
    };
    auto* dialog = new FigureDialog(make, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->show();
}

void MainWindow::updateJob(const JobRow& row) {
    jobsView_->put(row);
    using State = JobRow::State;
    if (row.state == State::running) {
        progress_->setValue(int(row.fraction * 1000));
        const QString left = row.left >= 0 ? tr(", %1 left").arg(durationText(row.left)) : QString();
        status_->setText(row.phase.isEmpty()
                             ? row.title
                             : QStringLiteral("%1 – %2 %3%4").arg(row.title, row.phase, row.item, left));
    } else if (row.state == State::stopping) {
        status_->setText(tr("%1 – stopping…").arg(row.title));
    } else if (row.state != State::queued) {
        status_->setText(QStringLiteral("%1 – %2").arg(row.title, row.outcome));
        jobsView_->addMessage(
            row.state == State::failed ? JobsView::Severity::error : JobsView::Severity::info,
            tr("%1: %2 after %3").arg(row.title, row.outcome, durationText(row.elapsed)));
    }
}

void MainWindow::open(const QString& path) {
    files_->open(path);
}

void MainWindow::openSample() {
    files_->openSample();
}

void MainWindow::openLesson() {
    lesson_->open(tree_->selectedLayers().value(0), panel_->settings());
}

void MainWindow::startTour() {
    if (!workspace_.isOpen()) return tour_->startWith([this] { files_->openSample(); });
    showWork(true);
    tour_->start();
}

void MainWindow::showFailure(const Failure& failure) {
    bar_->show({MessageBar::Kind::error, failure.happened, failure.where, failure.remedy, {}});
    jobsView_->addMessage(JobsView::Severity::error, bar_->text());
}

void MainWindow::showWarnings(const QStringList& warnings) {
    for (const QString& warning : warnings) jobsView_->addMessage(JobsView::Severity::warning, warning);
    bar_->show({MessageBar::Kind::warning,
                warnings.first(),
                {},
                warnings.size() > 1 ? tr("%n more in Jobs and messages.", nullptr, int(warnings.size()) - 1) : QString(),
                warnings.join(QLatin1Char('\n'))});
}

void MainWindow::offerResume(const RunSummary& run) {
    bar_->show({MessageBar::Kind::info,
                tr("%1 of %2 layers finished.").arg(run.done).arg(run.total),
                QFileInfo(fromPath(run.directory)).fileName(),
                tr("The run goes on where it stopped and ends with the same result."),
                {}},
               tr("Resume"), [this, run] { runController_->resume(run); });
}

void MainWindow::closeEvent(QCloseEvent* event) {
    if (projects_->isModified()) {
        const QString file = QFileInfo(projects_->file()).fileName();
        const auto answer = QMessageBox::question(this, tr("Save the project?"),
                                                  file.isEmpty() ? tr("The budget was edited, and neither a project nor a budget file has it.")
                                                                 : tr("%1 has changed since it was saved.").arg(file),
                                                  QMessageBox::Save | QMessageBox::Discard | QMessageBox::Cancel, QMessageBox::Save);
        if (answer != QMessageBox::Discard) event->ignore();
        if (answer == QMessageBox::Save) files_->save([this] { QMetaObject::invokeMethod(this, &QWidget::close, Qt::QueuedConnection); });
        if (answer != QMessageBox::Discard) return;
    }
    if (runner_->computing() &&
        QMessageBox::question(this, tr("Close while a job is running?"),
                              tr("A job is still running. Closing stops it. Layers of a run that are "
                                 "finished are kept, and it can be resumed."),
                              QMessageBox::Close | QMessageBox::Cancel,
                              QMessageBox::Cancel) != QMessageBox::Close)
        return event->ignore();
    if (tryController_->hasUnsavedVerdicts() &&
        QMessageBox::question(this, tr("Close without the verdicts?"), tr("What was judged in Try it is not saved. Save verdicts there keeps it in a folder."),
                              QMessageBox::Close | QMessageBox::Cancel, QMessageBox::Cancel) != QMessageBox::Close)
        return event->ignore();
    layout_->save();
    runner_->shutDown();
    event->accept();
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event) {
    if (!event->mimeData()->hasUrls()) return;
    event->acceptProposedAction();
    dragged_ = event->mimeData()->urls();
    start_->setDropping(true);
}

void MainWindow::dragLeaveEvent(QDragLeaveEvent*) {
    start_->setDropping(false);
}

void MainWindow::dropEvent(QDropEvent* event) {
    start_->setDropping(false);
    // Some sources on X11 no longer answer once they let go; what they promised on entering is the same.
    const QList<QUrl> dropped = event->mimeData()->urls();
    event->acceptProposedAction();
    files_->drop(dropped.isEmpty() ? dragged_ : dropped);
}

}  // namespace owq
