// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>

#include "widgets/budget/budget_row.h"
#include "widgets/run_panel/run_settings.h"

class QButtonGroup;
class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QPushButton;
class QSlider;
class QSpinBox;

namespace owq {

class PathEdit;

/// Method, bits, calibration, and the buttons Analyze and Run.
class RunPanel : public QWidget {
    Q_OBJECT
public:
    explicit RunPanel(QWidget* parent = nullptr);

    RunSettings settings() const;
    void setSettings(const RunSettings& settings);
    /// What the forecast below the slider needs: weights in quantizable linears. 0 hides it.
    void setWeights(double weights, double bitsPerWeight = 16);
    void setModelOpen(bool open);
    /// Memory and time, below the sizes.
    void setForecast(const RunForecast& forecast);
    /// While a run or an analysis is going on, only its Cancel is offered.
    void setBusy(bool busy);
    void pressAnalyze();  ///< as if the button was pressed: nothing while it is disabled
    void pressRun();

Q_SIGNALS:
    void analyzeWanted();
    void runWanted();
    void cancelWanted();
    void windowsWanted();  ///< to look at what is calibrated with
    void changed();

private:
    QWidget* makeMethod();
    QWidget* makeCalibration();
    QWidget* makeAdvanced();
    void refresh();

    QButtonGroup* methods_;
    QComboBox* bits_;
    QSlider* targetSlider_;
    QDoubleSpinBox* target_;
    QWidget* targetRow_;
    QLabel *forecast_, *machine_, *problem_;
    PathEdit *calibration_, *out_;
    QSpinBox *samples_, *sequenceLength_, *seed_;
    QComboBox *preset_, *device_, *grid_, *groupSize_, *allocation_, *metric_;
    QDoubleSpinBox *damping_, *correction_;
    QSpinBox* refine_;
    QCheckBox *actOrder_, *symmetric_, *trueSequential_, *storedScales_;
    QPushButton *analyze_, *run_, *cancel_, *windows_;
    int lastBits_ = 3;
    double weights_ = 0, fullBits_ = 16;
    bool open_ = false, busy_ = false;
};

}  // namespace owq
