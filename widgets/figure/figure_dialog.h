// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QDialog>
#include <vector>

#include "widgets/figure/figure_renderer.h"

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QPushButton;

namespace owq {

// Asks for format, size, font, line width and place, shows what will come out, and writes it. Sizes are remembered until the program
// ends. A failure is told inside the dialog, which stays open.
class FigureDialog : public QDialog {
    Q_OBJECT
public:
    // `options` gives kind, x mode and error scale; its sizes are used the first time.
    FigureDialog(const FigureOptions& options, std::vector<LayerCurvesPtr> curves, QWidget* parent = nullptr);
    FigureDialog(const FigureOptions& options, FigureSource source, QWidget* parent = nullptr);

    FigureOptions options() const;  // as set in the dialog
    QString destination() const;
    void setDestination(const QString& path);
    const FigureResult& figure() const { return result_; }

public Q_SLOTS:
    void accept() override;

private:
    void makeFields();
    void showPreview();
    void choosePreset(int index);
    void chooseFormat();
    void browse();

    FigureOptions given_;
    FigureSource source_;
    FigureResult result_;
    QComboBox *format_, *preset_;
    QDoubleSpinBox *width_, *height_, *font_, *line_, *dpi_;
    QCheckBox* csv_;
    QLineEdit* path_;
    QLabel *preview_, *message_;
};

}  // namespace owq
