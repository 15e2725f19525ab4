// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/sample.h"

#include <QCoreApplication>
#include <QDir>
#include <QFileInfo>

namespace owq {

namespace {

QString dataFolder(const QString& name) {
    QDir dir(QCoreApplication::applicationDirPath());
    const QString installed = dir.filePath(QStringLiteral("../share/owq-workbench/") + name);
    if (QFileInfo(installed).isDir()) return QDir::cleanPath(installed);
    for (int up = 0; up < 4; ++up) {  // build/<preset>/bin
        const QString source = dir.filePath(QStringLiteral("resources/") + name);
        if (QFileInfo(source).isDir()) return QDir::cleanPath(source);
        if (!dir.cdUp()) break;
    }
    return {};
}

}  // namespace

QString sampleFolder() { return dataFolder(QStringLiteral("sample")); }

QString helpFolder() { return dataFolder(QStringLiteral("help")); }

QString sampleModel() {
    const QString folder = sampleFolder();
    const QString model = folder + QStringLiteral("/sample-llama");
    return !folder.isEmpty() && QFileInfo(model).isDir() ? model : QString();
}

}  // namespace owq
