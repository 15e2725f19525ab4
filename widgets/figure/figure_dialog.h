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

// Asks for format, size, font, line width and place, shows what will come out, and writes it: one plot under the name given, or several, each
// with its kind behind a common beginning. Sizes are remembered until the program ends. A failure is told inside the dialog, which stays open.
class FigureDialog : public QDialog {
    Q_OBJECT
public:
    // `options` gives kind, x mode and error scale; its sizes are used the first time.
    FigureDialog(const FigureOptions& options, std::vector<LayerCurvesPtr> curves, QWidget* parent = nullptr);
    FigureDialog(const FigureOptions& options, FigureSource source, QWidget* parent = nullptr);
    struct Figure {
        FigureOptions options;
        FigureSource source;
    };
    // All of them that have something to draw, with the same sizes.
    FigureDialog(std::vector<Figure> figures, QWidget* parent = nullptr);

    FigureOptions options() const;  // as set in the dialog, of the first
    QString destination() const;    // of several: what their names begin with
    void setDestination(const QString& path);
    const FigureResult& figure() const { return result_; }
    static void forget();  // what is remembered, as at the program's start

public Q_SLOTS:
    void accept() override;

private:
    void makeFields();
    bool several() const { return figures_.size() != 1; }
    FigureOptions sized(const FigureOptions& figure, const QString& path) const;
    QString pathOf(const Figure& figure) const;
    void showPreview();
    void choosePreset(int index);
    void chooseFormat();
    void browse();

    std::vector<Figure> figures_;
    FigureResult result_;
    QComboBox *format_, *preset_;
    QDoubleSpinBox *width_, *height_, *font_, *line_, *dpi_;
    QCheckBox* csv_;
    QLineEdit* path_;
    QLabel *preview_, *message_;
};

}  // namespace owq
