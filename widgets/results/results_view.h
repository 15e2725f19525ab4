// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>

#include "widgets/results/results_model.h"

class QCheckBox;
class QComboBox;
class QLabel;
class QPushButton;
class QSortFilterProxyModel;
class QSpinBox;
class QTableView;

namespace owq {

class PathEdit;

/// What is to be measured. Protocol "questions": the text is a file of questions, and the share of right answers is.
struct MeasureSettings {
    QString text, protocol = QStringLiteral("plain");
    int windows = 0;  ///< or questions; 0: all
    bool divergence = false;  ///< KL and top-1 agreement against the original, too
    QString task;             ///< weak columns to measure with, empty: the model's own
    int shots = -1;           ///< examples before each question; below 0: as many as the data set usually has
    QString examples;         ///< where they come from, empty: the other questions
    bool operator==(const MeasureSettings&) const = default;
};

/// The table of runs, with the controls that measure, show and export the selected ones.
class ResultsView : public QWidget {
    Q_OBJECT
public:
    explicit ResultsView(QWidget* parent = nullptr);

    ResultsModel& model() { return *model_; }
    QTableView& table() { return *table_; }
    MeasureSettings measureSettings() const;
    void setMeasureSettings(const MeasureSettings& settings);
    QStringList selectedPaths() const;
    void select(const QString& path);
    void pressCompare();
    void pressShow();
    void pressMeasure();  ///< as if the button was pressed: nothing while it is disabled

Q_SIGNALS:
    void measureWanted(const QStringList& paths);  ///< selected rows, or every row when none is selected
    void showWanted(const QString& path);          ///< the run's numbers in tree and plots
    void exportWanted(const QString& path);
    void compareWanted(const QString& first, const QString& second);
    void measureSettingsChanged();

private:
    QLayout* makeSettings();
    void followProtocol();
    void refresh();
    ResultsModel* model_;
    QSortFilterProxyModel* sorted_;
    QTableView* table_;
    PathEdit *text_, *task_, *examples_;
    QComboBox* protocol_;
    QSpinBox *windows_, *shots_;
    QLabel* examplesLabel_;
    QCheckBox* divergence_;
    QPushButton *measure_, *show_, *compare_, *export_;
};

}  // namespace owq
