// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/model_cache.h"

#include <QDateTime>
#include <QDir>
#include <QFileInfo>
#include <algorithm>

namespace owq {
namespace {

bool holdsModel(const QFileInfo& snapshot) {
    const QDir dir(snapshot.filePath());
    return dir.exists(QStringLiteral("config.json")) &&
           !dir.entryList({QStringLiteral("*.safetensors"), QStringLiteral("*.bin"), QStringLiteral("*.pth")}, QDir::Files).isEmpty();
}

}  // namespace

QString cacheFolder() {
    const QString hub = qEnvironmentVariable("HF_HUB_CACHE"), home = qEnvironmentVariable("HF_HOME");
    if (!hub.isEmpty()) return hub;
    return (home.isEmpty() ? QDir::homePath() + QStringLiteral("/.cache/huggingface") : home) + QStringLiteral("/hub");
}

QList<CachedModel> cachedModels() {
    struct Found {
        CachedModel model;
        QDateTime when;
    };
    QList<Found> found;
    const auto folders = QDir(cacheFolder()).entryInfoList({QStringLiteral("models--*")}, QDir::Dirs | QDir::NoDotAndDotDot);
    for (const QFileInfo& folder : folders) {
        QFileInfo newest;
        for (const QFileInfo& snapshot : QDir(folder.filePath() + QStringLiteral("/snapshots")).entryInfoList(QDir::Dirs | QDir::NoDotAndDotDot))
            if (holdsModel(snapshot) && (newest.filePath().isEmpty() || snapshot.lastModified() > newest.lastModified())) newest = snapshot;
        if (newest.filePath().isEmpty()) continue;
        QString name = folder.fileName().mid(int(qstrlen("models--")));
        name.replace(QLatin1String("--"), QLatin1String("/"));
        found.append({{name, newest.filePath()}, newest.lastModified()});
    }
    std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.when > b.when; });
    QList<CachedModel> models;
    for (const Found& f : found) models << f.model;
    return models;
}

}  // namespace owq
