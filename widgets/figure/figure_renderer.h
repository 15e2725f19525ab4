// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QImage>
#include <QString>
#include <QStringList>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>

#include "widgets/cumulative_error/cumulative_error_content.h"
#include "widgets/plot/figure_painter.h"

class QPainter;

namespace owq {

enum class FigureFormat { Pdf, Svg, Png };

struct FigureOptions {
    PlotKind kind = PlotKind::HessianDiagonal;
    XMode xMode = XMode::Index;
    ErrorScale errorScale = ErrorScale::Absolute;
    double widthMm = 85;  // one column of a two-column paper; 175: both
    double heightMm = 60;
    double fontPt = 8;
    double linePt = 0.8;
    QString fontFamily;  // empty: the same sans serif in the window and on the command line
    double pngDpi = 600;
    QString csvPath;  // empty: no data file
};

// What a figure shows, drawn at any size. Made on any thread.
struct FigureSource {
    QString name;       // suggested for the file, without ending
    QString title;
    QString emptyText;  // not empty: there is nothing to draw, and what to do
    std::function<FigurePainter(QSize, const DrawStyle&)> painter;  // asked for on the GUI thread
    std::function<QString()> csv;                                   // on any thread
};

// Of curves, as FigureOptions say; named after its kind and the linear, or the first of several.
FigureSource curveFigure(const FigureOptions& options, std::span<const LayerCurvesPtr> curves);
// Of anything that a painter draws into a rectangle.
FigureSource paintedFigure(const QString& name, const QString& title, std::function<void(QPainter&, const QRectF&, const DrawStyle&)> paint,
                           std::function<QString()> csv);

struct FigureResult {
    bool ok = false;
    QString error;      // what happened and what to do
    QStringList files;  // written
};

// Writes one figure as a file, always in the light theme, at the exact size. The format follows the ending of `path`. Files are written
// under a temporary name and renamed. Needs a QApplication (the offscreen platform will do).
// In two parts: the short one here on the GUI thread, what it returns on any, once. A stop leaves the files that are not yet written as they were.
std::function<FigureResult()> figureWriter(const FigureOptions& options, const FigureSource& source, const QString& path, std::stop_token stop = {});
FigureResult writeFigure(const FigureOptions& options, const FigureSource& source, const QString& path);
FigureResult renderFigure(const FigureOptions& options, std::span<const LayerCurvesPtr> curves, const QString& path);

// The content the figure shows; the plots on screen are made by the same functions.
PlotContent figureContent(const FigureOptions& options, std::span<const LayerCurvesPtr> curves);

// The figure as an image for a preview on screen, dense curves thinned out; in two parts as figureWriter.
std::function<QImage()> figurePreview(const FigureOptions& options, const FigureSource& source, double dpi);

std::optional<FigureFormat> figureFormat(const QString& path);
std::optional<PlotKind> plotKind(const QString& name);  // hessian, column-range, cumulative-error, sensitivity, error-saved
QString plotKindName(PlotKind kind);
std::optional<XMode> xMode(const QString& name);  // index, rank, hessian
QString xModeName(XMode mode);

}  // namespace owq
