// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/main_window.h"

#include <QActionGroup>
#include <QApplication>
#include <QCloseEvent>
#include <QDockWidget>
#include <QFileDialog>
#include <QFileInfo>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QMessageBox>
#include <QMimeData>
#include <QProgressBar>
#include <QSettings>
#include <QStackedWidget>
#include <QStatusBar>
#include <QVBoxLayout>

#include "app/workbench/layer_controller.h"
#include "app/workbench/model_header.h"
#include "app/workbench/opener.h"
#include "app/workbench/plot_area.h"
#include "app/workbench/results_controller.h"
#include "app/workbench/run_controller.h"
#include "app/workbench/sample.h"
#include "app/workbench/settings.h"
#include "app/workbench/try_controller.h"
#include "widgets/command_palette/command_palette.h"
#include "widgets/common/format.h"
#include "widgets/cumulative_error/cumulative_error_plot.h"
#include "widgets/figure/figure_dialog.h"
#include "widgets/jobs/jobs_view.h"
#include "widgets/layer_tree/layer_tree.h"
#include "widgets/results/results_view.h"
#include "widgets/run_panel/run_panel.h"
#include "widgets/start_page/start_page.h"
#include "widgets/theme/icon.h"
#include "widgets/theme/theme.h"
#include "widgets/try_it/try_panel.h"

namespace owq {

MainWindow::MainWindow(JobFunctions jobs, Theme* theme, QWidget* parent)
    : QMainWindow(parent),
      jobs_(std::move(jobs)),
      theme_(theme),
      runner_(new JobRunner(this)),
      actions_(*this),
      pages_(new QStackedWidget),
      start_(new StartPage),
      bar_(new MessageBar),
      tree_(new LayerTree),
      panel_(new RunPanel),
      resultsView_(new ResultsView),
      jobsView_(new JobsView),
      tryPanel_(new TryPanel),
      plots_(new PlotArea),
      status_(new QLabel),
      progress_(new QProgressBar) {
    setWindowTitle(tr("OWQ Workbench"));
    setWindowIcon(QIcon(QStringLiteral(":/icons/owq-workbench.svg")));
    setAcceptDrops(true);
    setDockNestingEnabled(true);
    if (jobs_.prepare)
        runner_->submit<int>(
            {tr("Start"), JobRunner::Lane::compute, {}, false},
            [prepare = jobs_.prepare](JobRunner::Context&) {
                prepare();
                return 0;
            },
            [](const int&) {});
    opener_ = new Opener(*runner_, jobs_, workspace_, this);
    runController_ = new RunController(*runner_, jobs_, workspace_, *panel_, this);
    results_ = new ResultsController(*runner_, jobs_, workspace_, *resultsView_, this);
    tryController_ = new TryController(*runner_, jobs_, *tryPanel_, this);
    new LayerController(
        workspace_, *opener_, *tree_, [this](const auto& curves) { plots_->setCurves(curves); }, this);

    auto* header = new ModelHeader(workspace_, *results_);
    connect(header, &ModelHeader::sourceWanted, this, [this](const QString& source) {
        if (source == Workspace::kAnalysis || workspace_.hasReports(source))
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

    progress_->setRange(0, 1000);
    progress_->setTextVisible(false);
    progress_->setFixedWidth(180);
    progress_->setAccessibleName(tr("Progress of the running job"));
    progress_->hide();
    statusBar()->addWidget(status_, 1);
    statusBar()->addPermanentWidget(progress_);

    makeDocks();
    connectActions();
    connectControllers();
    start_->setSampleAvailable(!sampleModel().isEmpty());
    rebuildRecent();
    restoreLayout();
    showWork(false);
}

MainWindow::~MainWindow() {
    runner_->shutDown();  // before any panel that a job's result would reach
}

QDockWidget* MainWindow::addDock(const char* name, const QString& title, const char* icon, QWidget* content,
                                 Qt::DockWidgetArea area, const QString& shortcut) {
    auto* dock = new QDockWidget(title, this);
    dock->setObjectName(QLatin1String(name));
    dock->setWidget(content);
    addDockWidget(area, dock);
    QAction* toggle = dock->toggleViewAction();
    toggle->setIcon(themedIcon(QLatin1String(icon)));
    toggle->setShortcut(QKeySequence(shortcut));
    toggle->setToolTip(tr("Show or hide the panel %1 (%2)").arg(title, shortcut));
    connect(toggle, &QAction::triggered, dock, [dock](bool shown) {
        if (shown) dock->raise();
    });
    actions_.panels->addAction(toggle);
    addAction(toggle);
    docks_ << dock;
    return dock;
}

void MainWindow::makeDocks() {
    addDock("layers", tr("Layers"), "layers", tree_, Qt::LeftDockWidgetArea, QStringLiteral("Ctrl+1"));
    addDock("run", tr("Quantize"), "run", panel_, Qt::RightDockWidgetArea, QStringLiteral("Ctrl+2"));
    addDock("results", tr("Results"), "results", resultsView_, Qt::BottomDockWidgetArea,
            QStringLiteral("Ctrl+3"));
    addDock("jobs", tr("Jobs and messages"), "recent", jobsView_, Qt::BottomDockWidgetArea,
            QStringLiteral("Ctrl+4"));
    addDock("try", tr("Try it"), "chat", tryPanel_, Qt::BottomDockWidgetArea, QStringLiteral("Ctrl+5"));
    setCorner(Qt::BottomLeftCorner, Qt::BottomDockWidgetArea);  // tables want width
    setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
}

void MainWindow::defaultLayout() {
    const Qt::DockWidgetArea areas[] = {Qt::LeftDockWidgetArea, Qt::RightDockWidgetArea,
                                        Qt::BottomDockWidgetArea, Qt::BottomDockWidgetArea,
                                        Qt::BottomDockWidgetArea};
    for (int i = 0; i < docks_.size(); ++i) {
        docks_[i]->setFloating(false);
        addDockWidget(areas[i], docks_[i]);
        docks_[i]->show();
    }
    tabifyDockWidget(docks_[2], docks_[3]);
    tabifyDockWidget(docks_[3], docks_[4]);
    docks_[2]->raise();
    const int unit = fontMetrics().averageCharWidth();
    resizeDocks({docks_[0], docks_[1]}, {unit * 80, unit * 48}, Qt::Horizontal);
    resizeDocks({docks_[2]}, {fontMetrics().height() * 15}, Qt::Vertical);
}

void MainWindow::restoreLayout() {
    const QSettings kept;
    if (!restoreGeometry(kept.value(QLatin1String(keys::geometry)).toByteArray())) resize(1440, 900);
    defaultLayout();
    restoreState(kept.value(QLatin1String(keys::layout)).toByteArray(), keys::layoutVersion);
    const QString theme = kept.value(QLatin1String(keys::theme)).toString();
    QAction* chosen = theme == QLatin1String("dark")    ? actions_.themeDark
                      : theme == QLatin1String("light") ? actions_.themeLight
                                                        : actions_.themeSystem;
    chosen->setChecked(true);
}

void MainWindow::saveLayout() {
    QSettings kept;
    kept.setValue(QLatin1String(keys::geometry), saveGeometry());
    if (working_) kept.setValue(QLatin1String(keys::layout), saveState(keys::layoutVersion));
}

void MainWindow::showWork(bool work) {
    // The start page has the window for itself; the panels come back as they were.
    if (working_ && !work) saveLayout();
    for (QDockWidget* dock : docks_) {
        dock->toggleViewAction()->setEnabled(work);
        if (!work) dock->hide();
    }
    if (work && !working_) {
        defaultLayout();
        restoreState(QSettings().value(QLatin1String(keys::layout)).toByteArray(), keys::layoutVersion);
    }
    working_ = work;
    pages_->setCurrentIndex(work ? 1 : 0);
    for (QAction* action : {actions_.measure, actions_.exportRun, actions_.filter, actions_.resetLayout})
        action->setEnabled(work);
    actions_.cancel->setEnabled(runner_->computing());
    for (QAction* action : {actions_.run, actions_.analyze})
        action->setEnabled(work && !runner_->computing());
}

void MainWindow::connectActions() {
    const auto on = [this](QAction* action, auto handler) {
        connect(action, &QAction::triggered, this, handler);
    };
    on(actions_.openFolder, [this] { chooseFolder(); });
    on(actions_.openFile, [this] { chooseFile(); });
    on(actions_.openSample, [this] { openSample(); });
    on(actions_.startPage, [this] { showWork(false); });
    on(actions_.exportRun, [this] {
        const QStringList paths = resultsView_->selectedPaths();
        if (paths.size() == 1) return results_->exportRun(paths.first());
        bar_->show(
            {MessageBar::Kind::info, tr("Select one finished run in Results, then export it."), {}, {}, {}});
    });
    on(actions_.quit, [this] { close(); });
    on(actions_.analyze, [this] { panel_->pressAnalyze(); });
    on(actions_.run, [this] { panel_->pressRun(); });
    on(actions_.measure, [this] { resultsView_->pressMeasure(); });
    on(actions_.cancel, [this] { runController_->cancel(); });
    on(actions_.filter, [this] {
        docks_[0]->show();
        docks_[0]->raise();
        tree_->filterBox().setFocus(Qt::ShortcutFocusReason);
        tree_->filterBox().selectAll();
    });
    on(actions_.palette, [this] { (new CommandPalette(actions_.all(), this))->show(); });
    on(actions_.resetLayout, [this] { defaultLayout(); });
    connect(actions_.fullScreen, &QAction::toggled, this,
            [this](bool full) { full ? showFullScreen() : showNormal(); });
    on(actions_.shortcuts, [this] { showShortcuts(); });
    on(actions_.about, [this] { showAbout(); });
    connect(actions_.themes, &QActionGroup::triggered, this, [this](QAction* action) {
        const bool dark = action == actions_.themeDark, light = action == actions_.themeLight;
        QSettings().setValue(QLatin1String(keys::theme), dark    ? QStringLiteral("dark")
                                                         : light ? QStringLiteral("light")
                                                                 : QString());
        if (theme_)
            theme_->choose(dark ? ThemeChoice::dark : light ? ThemeChoice::light : ThemeChoice::system);
    });
    connect(start_, &StartPage::openFolderWanted, this, &MainWindow::chooseFolder);
    connect(start_, &StartPage::openFileWanted, this, &MainWindow::chooseFile);
    connect(start_, &StartPage::sampleWanted, this, &MainWindow::openSample);
    connect(start_, &StartPage::openWanted, this, &MainWindow::open);
}

void MainWindow::connectControllers() {
    connect(opener_, &Opener::opened, this, [this](const QString& path) {
        bar_->hide();
        setWindowTitle(tr("%1 – OWQ Workbench").arg(workspace_.title()));
        status_->setText(path);
        showWork(true);
    });
    connect(opener_, &Opener::runOpened, this, [this](const RunSummary& run) {
        results_->addRun(run);
        resultsView_->select(fromPath(run.directory));
        if (!run.finished && !run.analysis) offerResume(run);
    });
    connect(opener_, &Opener::notice, this, [this](const Failure& notice) {
        bar_->show({MessageBar::Kind::warning, notice.happened, notice.where, notice.remedy, {}});
    });
    connect(opener_, &Opener::recentChanged, this, &MainWindow::rebuildRecent);
    connect(opener_, &Opener::failed, this, &MainWindow::showFailure);
    connect(runController_, &RunController::failed, this, &MainWindow::showFailure);
    connect(results_, &ResultsController::failed, this, &MainWindow::showFailure);
    connect(tryController_, &TryController::failed, this, &MainWindow::showFailure);
    connect(runner_, &JobRunner::failed, this, &MainWindow::showFailure);

    connect(runController_, &RunController::runStarted, this, [this] { bar_->hide(); });
    connect(runController_, &RunController::runFinished, results_,
            qOverload<const QString&>(&ResultsController::addRun));
    connect(runController_, &RunController::runStopped, results_,
            qOverload<const QString&>(&ResultsController::addRun));
    connect(results_, &ResultsController::unfinishedFound, this, &MainWindow::offerResume);
    connect(runController_, &RunController::warned, this, [this](const QStringList& warnings) {
        for (const QString& warning : warnings) jobsView_->addMessage(JobsView::Severity::warning, warning);
        bar_->show({MessageBar::Kind::warning,
                    warnings.first(),
                    {},
                    warnings.size() > 1
                        ? tr("%n more in Jobs and messages.", nullptr, int(warnings.size()) - 1)
                        : QString(),
                    warnings.join(QLatin1Char('\n'))});
    });
    connect(results_, &ResultsController::showWanted, this, [this](const QString& path) {
        if (path == workspace_.path())
            workspace_.show(Workspace::kAnalysis);
        else
            opener_->loadRun(path);
    });
    connect(results_, &ResultsController::measured, this,
            [this](const QString& name, const QString& text, double perplexity) {
                jobsView_->addMessage(
                    JobsView::Severity::info,
                    tr("Perplexity of %1 on %2: %3").arg(name, text, QString::number(perplexity, 'f', 4)));
            });
    connect(results_, &ResultsController::modelsChanged, this, [this] {
        QStringList names, paths;
        results_->usableModels(names, paths);
        tryPanel_->setModels(names, paths);
    });
    connect(runner_, &JobRunner::jobChanged, this, &MainWindow::updateJob);
    connect(runner_, &JobRunner::computingChanged, this, [this](bool computing) {
        actions_.cancel->setEnabled(computing);
        for (QAction* action : {actions_.run, actions_.analyze}) action->setEnabled(working_ && !computing);
        progress_->setVisible(computing);
    });
    connect(plots_, &PlotArea::failed, this, [this](const QString& message) {
        showFailure({message, {}, {}});
    });
    connect(plots_, &PlotArea::figureRequested, this, [this](Plot* plot) {
        FigureOptions options;
        options.kind = plot->kind();
        options.xMode = plot->xMode();
        if (const auto* error = qobject_cast<const CumulativeErrorPlot*>(plot))
            options.errorScale = error->scale();
        auto* dialog = new FigureDialog(options, plot->curves(), this);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->show();
    });
    connect(plots_, &PlotArea::columnSelected, this, [this](const QString& layer, int column) {
        status_->setText(column < 0 ? QString() : tr("%1, column %2").arg(layer).arg(column));
    });
    connect(jobsView_, &JobsView::cancelWanted, runner_, &JobRunner::cancel);
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
    opener_->open(path);
}

void MainWindow::openSample() {
    if (const QString sample = sampleModel(); !sample.isEmpty()) return open(sample);
    showFailure({tr("The sample model was not found beside the program"),
                 {},
                 tr("Install the program with its data, or open a model of your own.")});
}

void MainWindow::chooseFolder() {
    const QString folder = QFileDialog::getExistingDirectory(
        this, tr("Open a model or a run"), QSettings().value(QLatin1String(keys::folder)).toString());
    if (!folder.isEmpty()) open(folder);
}

void MainWindow::chooseFile() {
    const QString file = QFileDialog::getOpenFileName(
        this, tr("Open a model file"), QSettings().value(QLatin1String(keys::folder)).toString(),
        tr("Model files (*.safetensors *.bin *.pth *.pt *.json);;All files (*)"));
    if (!file.isEmpty()) open(file);
}

void MainWindow::rebuildRecent() {
    const QStringList paths = Opener::recent();
    start_->setRecent(paths);
    actions_.recent->clear();
    for (const QString& path : paths) {
        QAction* action =
            actions_.recent->addAction(QFileInfo(path).fileName(), this, [this, path] { open(path); });
        action->setStatusTip(path);
        action->setToolTip(path);
        action->setEnabled(QFileInfo::exists(path));
    }
    actions_.recent->addSeparator();
    actions_.recent
        ->addAction(tr("&Clear this list"), this,
                    [this] {
                        Opener::clearRecent();
                        rebuildRecent();
                    })
        ->setEnabled(!paths.isEmpty());
}

void MainWindow::showFailure(const Failure& failure) {
    bar_->show({MessageBar::Kind::error, failure.happened, failure.where, failure.remedy, {}});
    jobsView_->addMessage(JobsView::Severity::error, bar_->text());
}

void MainWindow::offerResume(const RunSummary& run) {
    bar_->show({MessageBar::Kind::info,
                tr("%1 of %2 layers finished.").arg(run.done).arg(run.total),
                QFileInfo(fromPath(run.directory)).fileName(),
                tr("The run goes on where it stopped and ends with the same result."),
                {}},
               tr("Resume"), [this, run] { runController_->resume(run); });
}

void MainWindow::showShortcuts() {
    QString html = QStringLiteral("<table cellpadding='4'>");
    for (const QAction* action : actions_.all())
        if (!action->shortcut().isEmpty())
            html += QStringLiteral("<tr><td><b>%1</b></td><td>%2</td></tr>")
                        .arg(action->shortcut().toString(QKeySequence::NativeText).toHtmlEscaped(),
                             action->text().remove(QLatin1Char('&')).toHtmlEscaped());
    auto* box = new QMessageBox(QMessageBox::NoIcon, tr("Keyboard shortcuts"),
                                html + QStringLiteral("</table>"), QMessageBox::Close, this);
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setModal(false);
    box->show();
}

void MainWindow::showAbout() {
    auto* box = new QMessageBox(
        QMessageBox::NoIcon, tr("About OWQ Workbench"),
        tr("<h3>OWQ Workbench %1</h3><p>Outlier-aware weight quantization of language models.</p>"
           "<p>Free software under the GNU General Public License, version 3 or later.</p>")
            .arg(QCoreApplication::applicationVersion()),
        QMessageBox::Close, this);
    box->setIconPixmap(windowIcon().pixmap(64, 64));
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setModal(false);
    box->show();
}

void MainWindow::closeEvent(QCloseEvent* event) {
    if (runner_->computing() &&
        QMessageBox::question(this, tr("Close while a job is running?"),
                              tr("A job is still running. Closing stops it. Layers of a run that are "
                                 "finished are kept, and it can be resumed."),
                              QMessageBox::Close | QMessageBox::Cancel,
                              QMessageBox::Cancel) != QMessageBox::Close)
        return event->ignore();
    saveLayout();
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
    for (const QUrl& url : dropped.isEmpty() ? dragged_ : dropped) {
        if (!url.isLocalFile()) continue;
        event->acceptProposedAction();
        return open(url.toLocalFile());
    }
    showFailure({tr("Only files and folders of this machine can be opened"),
                 {},
                 tr("Download the model first, then drop its folder.")});
}

}  // namespace owq
