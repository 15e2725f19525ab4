// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QMainWindow>
#include <QUrl>
#include <functional>

#include "app/workbench/actions.h"
#include "app/workbench/opener.h"
#include "app/workbench/project_controller.h"
#include "widgets/start_page/start_page.h"

namespace owq {

/// What is opened and saved, from menus, the start page, drops and lists of recent things.
class FileController : public QObject {
    Q_OBJECT
public:
    FileController(QMainWindow& window, Actions& actions, StartPage& start, JobRunner& runner, Opener& opener, ProjectController& projects);

    void open(const QString& path);  ///< a project, or anything that Opener opens
    void openSample();
    void drop(const QList<QUrl>& urls);
    void save(std::function<void()> then = {});  ///< asks for a name where there is none; `then` only when it is saved
    void saveAs(std::function<void()> then = {});
    void findCached();

Q_SIGNALS:
    void failed(const owq::Failure& failure);

private:
    void chooseFolder();
    void chooseFile();
    void rebuildRecent();
    QMainWindow& window_;
    Actions& actions_;
    StartPage& start_;
    JobRunner& runner_;
    Opener& opener_;
    ProjectController& projects_;
};

}  // namespace owq
