// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QByteArray>
#include <QString>

namespace owq {

/// Writes the file under a temporary name and renames it: whole or not at all. Returns what went wrong and what to do, empty when nothing did.
QString writeFile(const QString& path, const QByteArray& bytes);

}  // namespace owq
