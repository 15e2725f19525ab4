// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QDialog>
#include <QStringList>

namespace owq {

// What a model is shown for calibration: a line about all windows, what is wrong with them, and each window's text.
struct CalibrationTexts {
    QString summary;
    QStringList warnings;
    QStringList windows;  // the first of them
};

class CalibrationDialog : public QDialog {
    Q_OBJECT
public:
    explicit CalibrationDialog(const CalibrationTexts& texts, QWidget* parent = nullptr);
};

}  // namespace owq
