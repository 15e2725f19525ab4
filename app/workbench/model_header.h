// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>

class QComboBox;
class QLabel;

namespace owq {

class ResultsController;
class Workspace;

/// Above the plots: what is open, and whose numbers are shown.
class ModelHeader : public QWidget {
    Q_OBJECT
public:
    ModelHeader(Workspace& workspace, const ResultsController& results, QWidget* parent = nullptr);

Q_SIGNALS:
    void sourceWanted(const QString& source);

private:
    void refresh();
    Workspace& workspace_;
    const ResultsController& results_;
    QLabel *title_, *facts_;
    QComboBox* source_;
};

}  // namespace owq
