// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>

class QLineEdit;

namespace owq {

/// A path in a line edit with a Browse button; files can be dropped on it.
class PathEdit : public QWidget {
    Q_OBJECT
public:
    enum class Kind { openFile, saveFile, folder };
    PathEdit(Kind kind, const QString& name, QWidget* parent = nullptr);

    QString path() const;
    void setPath(const QString& path);
    void setKind(Kind kind) { kind_ = kind; }
    void setFilter(const QString& filter) { filter_ = filter; }
    QLineEdit& edit() { return *edit_; }

Q_SIGNALS:
    void changed(const QString& path);

private:
    void browse();
    Kind kind_;
    QString filter_;
    QLineEdit* edit_;
};

}  // namespace owq
