// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/sample.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>

namespace owq {

QString sampleFolder() {
    QDir dir(QCoreApplication::applicationDirPath());
    const QString installed = dir.filePath(QStringLiteral("../share/owq-workbench/sample"));
    if (QFileInfo(installed).isDir()) return QDir::cleanPath(installed);
    for (int up = 0; up < 4; ++up) {  // build/<preset>/bin
        const QString source = dir.filePath(QStringLiteral("resources/sample"));
        if (QFileInfo(source).isDir()) return QDir::cleanPath(source);
        if (!dir.cdUp()) break;
    }
    return {};
}

QString sampleModel() {
    const QString folder = sampleFolder();
    const QString model = folder + QStringLiteral("/sample-llama");
    return !folder.isEmpty() && QFileInfo(model).isDir() ? model : QString();
}

}  // namespace owq
