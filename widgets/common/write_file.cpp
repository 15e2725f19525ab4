// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/common/write_file.h"

#include <QCoreApplication>
#include <QSaveFile>

namespace owq {

QString writeFile(const QString& path, const QByteArray& bytes) {
    QSaveFile file(path);
    // Unbuffered and to the last byte: only the write itself tells why it failed, commit() of a full disk says "Unknown error".
    bool fine = file.open(QIODevice::WriteOnly | QIODevice::Unbuffered);
    for (qint64 done = 0; fine && done < bytes.size();) {
        const qint64 written = file.write(bytes.constData() + done, bytes.size() - done);
        fine = written > 0;
        done += written;
    }
    if (fine && file.commit()) return {};
    return QCoreApplication::translate("writeFile", "Cannot write %1: %2. Choose another place or make room there.").arg(path, file.errorString());
}

}  // namespace owq
