// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QDialog>
#include <memory>
#include <vector>

#include "widgets/figure/figure_renderer.h"

class QCheckBox;
class QComboBox;
class QDialogButtonBox;
class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QProgressBar;
class QTimer;

namespace owq {

// Asks for format, size, font, line width and place, shows what will come out, and writes it: one plot under the name given, or several, each
// with its kind behind a common beginning. Sizes are remembered until the program ends. A failure is told inside the dialog, which stays open.
// What takes long runs beside the GUI thread: the laying out, the preview, the writing.
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
    // Made on another thread while the dialog is there already.
    FigureDialog(std::function<std::vector<Figure>()> make, QWidget* parent = nullptr);
    ~FigureDialog() override;

    FigureOptions options() const;  // as set in the dialog, of the first
    QString destination() const;    // of several: what their names begin with
    void setDestination(const QString& path);
    const FigureResult& figure() const { return result_; }
    bool isBusy() const { return busy_; }  // laying out or writing
    static void forget();  // what is remembered, as at the program's start

public Q_SLOTS:
    void accept() override;  // starts the writing: it closes when that is done
    void reject() override;  // while it writes: stops that

private:
    void makeFields(const FigureOptions& given);
    void take(std::vector<Figure> figures);
    void setBusy(const QString& text);
    void tell(const QString& text);
    bool several() const { return figures_.size() != 1; }
    FigureOptions sized(const FigureOptions& figure, const QString& path) const;
    QString pathOf(const Figure& figure) const;
    bool mayReplace();
    void write(size_t place);
    void finish();
    void showPreview();
    void drawPreview(size_t place, const std::shared_ptr<QImage>& sheet);
    void choosePreset(int index);
    void chooseFormat();
    void browse();

    std::vector<Figure> figures_;
    FigureResult result_;
    std::stop_source stop_;
    bool busy_ = false, previewing_ = false;
    QComboBox *format_, *preset_;
    QDoubleSpinBox *width_, *height_, *font_, *line_, *dpi_;
    QCheckBox* csv_;
    QLineEdit* path_;
    QWidget* fields_;
    QLabel *to_, *preview_, *message_;
    QProgressBar* bar_;
    QDialogButtonBox* buttons_;
    QTimer* redraw_;
};

}  // namespace owq
