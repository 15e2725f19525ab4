// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QHash>
#include <QWidget>

#include "widgets/jobs/job_row.h"

class QLabel;
class QListWidget;
class QVBoxLayout;

namespace owq {

class JobCard;

/// Running, waiting and finished jobs, newest first, with progress, time left and Cancel; and the messages
/// they gave.
class JobsView : public QWidget {
    Q_OBJECT
public:
    enum class Severity { info, warning, error };
    explicit JobsView(QWidget* parent = nullptr);

    void put(const JobRow& row);
    void addMessage(Severity severity, const QString& text);
    QStringList messages() const;

Q_SIGNALS:
    void cancelWanted(quint64 id);

private:
    QVBoxLayout* cards_;
    QHash<quint64, JobCard*> byId_;
    QList<quint64> order_;
    QLabel* nothing_;
    QListWidget* messages_;
};

}  // namespace owq
