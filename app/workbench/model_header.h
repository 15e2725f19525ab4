// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>

class QComboBox;
class QLabel;

namespace owq {

class ResultsController;
class RunController;
class Workspace;

/// Above the plots: what is open, and whose numbers are shown.
class ModelHeader : public QWidget {
    Q_OBJECT
public:
    ModelHeader(Workspace& workspace, const ResultsController& results, const RunController& runs, QWidget* parent = nullptr);

Q_SIGNALS:
    void sourceWanted(const QString& source);

private:
    void refresh();
    Workspace& workspace_;
    const ResultsController& results_;
    const RunController& runs_;
    QLabel *title_, *facts_;
    QComboBox* source_;
};

}  // namespace owq
