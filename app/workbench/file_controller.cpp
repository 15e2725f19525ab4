// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/file_controller.h"

#include <QAction>
#include <QFileDialog>
#include <QFileInfo>
#include <QMenu>
#include <QMessageBox>
#include <QSettings>
#include <utility>

#include "app/workbench/model_cache.h"
#include "app/workbench/sample.h"
#include "app/workbench/settings.h"

namespace owq {

FileController::FileController(QMainWindow& window, Actions& actions, StartPage& start, JobRunner& runner, Opener& opener,
                               ProjectController& projects)
    : QObject(&window), window_(window), actions_(actions), start_(start), runner_(runner), opener_(opener), projects_(projects) {
    const auto on = [this](QAction* action, auto handler) { connect(action, &QAction::triggered, this, handler); };
    on(actions_.openFolder, [this] { chooseFolder(); });
    on(actions_.openFile, [this] { chooseFile(); });
    on(actions_.openSample, [this] { openSample(); });
    on(actions_.saveProject, [this] { save(); });
    on(actions_.saveProjectAs, [this] { saveAs(); });
    connect(&start_, &StartPage::openFolderWanted, this, &FileController::chooseFolder);
    connect(&start_, &StartPage::openFileWanted, this, &FileController::chooseFile);
    connect(&start_, &StartPage::sampleWanted, this, &FileController::openSample);
    connect(&start_, &StartPage::openWanted, this, &FileController::open);
    connect(&opener_, &Opener::recentChanged, this, &FileController::rebuildRecent);
    start_.setSampleAvailable(!sampleModel().isEmpty());
    rebuildRecent();
    findCached();
}

void FileController::open(const QString& path) {
    if (ProjectController::isProject(path))
        projects_.open(path);
    else
        opener_.open(path);
}

void FileController::openSample() {
    if (const QString sample = sampleModel(); !sample.isEmpty()) return open(sample);
    Q_EMIT failed({tr("The sample model was not found beside the program"), {}, tr("Install the program with its data, or open a model of your own.")});
}

void FileController::drop(const QList<QUrl>& urls) {
    for (const QUrl& url : urls)
        if (url.isLocalFile()) return open(url.toLocalFile());
    Q_EMIT failed({tr("Only files and folders of this machine can be opened"), {}, tr("Download the model first, then drop its folder.")});
}

void FileController::chooseFolder() {
    const QString folder = QFileDialog::getExistingDirectory(&window_, tr("Open a model or a run"), QSettings().value(QLatin1String(keys::folder)).toString());
    if (!folder.isEmpty()) open(folder);
}

void FileController::chooseFile() {
    const QString file = QFileDialog::getOpenFileName(
        &window_, tr("Open a model file or a project"), QSettings().value(QLatin1String(keys::folder)).toString(),
        tr("Models and projects (*.safetensors *.bin *.pth *.pt *.json *%1);;Projects (*%1);;All files (*)").arg(QLatin1String(kProjectSuffix)));
    if (!file.isEmpty()) open(file);
}

void FileController::save(std::function<void()> then) {
    if (projects_.file().isEmpty()) return saveAs(std::move(then));
    projects_.save(projects_.file(), std::move(then));
}

void FileController::saveAs(std::function<void()> then) {
    const QString last = projects_.file().isEmpty() ? QSettings().value(QLatin1String(keys::folder)).toString() : projects_.file();
    QString file = QFileDialog::getSaveFileName(&window_, tr("Save project"), last, tr("Projects (*%1)").arg(QLatin1String(kProjectSuffix)));
    if (file.isEmpty()) return;
    // The dialog asked about the name as it was typed.
    if (!ProjectController::isProject(file)) {
        file += QLatin1String(kProjectSuffix);
        if (QFileInfo::exists(file) &&
            QMessageBox::question(&window_, tr("Replace the project?"), tr("%1 is there already.").arg(QFileInfo(file).fileName()),
                                  QMessageBox::Save | QMessageBox::Cancel, QMessageBox::Cancel) != QMessageBox::Save)
            return;
    }
    projects_.save(file, std::move(then));
}

void FileController::findCached() {
    runner_.submit<QList<CachedModel>>(
        {tr("Look for cached models"), JobRunner::Lane::reading, QStringLiteral("cached models"), false},
        [](JobRunner::Context&) { return cachedModels(); },
        [this](const QList<CachedModel>& models) {
            QStringList names, paths;
            for (const CachedModel& model : models) names << model.name, paths << model.path;
            start_.setCached(names, paths);
        },
        [](const Failure&) {});
}

void FileController::rebuildRecent() {
    const QStringList paths = Opener::recent();
    start_.setRecent(paths);
    actions_.recent->clear();
    int number = 0;
    for (const QString& path : paths) {
        QString name = QFileInfo(path).fileName();
        name.replace(QLatin1Char('&'), QLatin1String("&&"));
        if (++number < 10) name = QStringLiteral("&%1  %2").arg(number).arg(name);
        QAction* action = actions_.recent->addAction(name, this, [this, path] { open(path); });
        action->setStatusTip(path);
        action->setToolTip(path);
        action->setEnabled(QFileInfo::exists(path));
    }
    actions_.recent->addSeparator();
    QAction* clear = actions_.recent->addAction(tr("&Clear this list"), this, [this] {
        Opener::clearRecent();
        rebuildRecent();
    });
    clear->setEnabled(!paths.isEmpty());
}

}  // namespace owq
