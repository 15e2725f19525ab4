// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QList>
#include <QString>

namespace owq {

struct CachedModel {
    QString name;  ///< "facebook/opt-1.3b"
    QString path;  ///< folder of the snapshot that was fetched last
};

/// Models in the Hugging Face cache ($HF_HUB_CACHE, $HF_HOME/hub or ~/.cache/huggingface/hub) that have a config.json and weights, the newest
/// first. Reads folders only.
QList<CachedModel> cachedModels();
QString cacheFolder();

}  // namespace owq
