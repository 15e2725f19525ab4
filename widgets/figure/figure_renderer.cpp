// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/figure/figure_renderer.h"

#include <QApplication>
#include <QBuffer>
#include <QFileInfo>
#include <QFontInfo>
#include <QPdfWriter>
#include <QSvgGenerator>
#include <array>
#include <cmath>
#include <utility>

#include "widgets/column_range/column_range_content.h"
#include "widgets/common/write_file.h"
#include "widgets/figure/pdf_size.h"
#include "widgets/hessian/hessian_content.h"
#include "widgets/plot/figure_painter.h"
#include "widgets/sensitivity/sensitivity_content.h"

namespace owq {
namespace {

constexpr double kMmPerInch = 25.4;
constexpr int kVectorDpi = 1440;  // 20 units per point: QCustomPlot lays out in whole units

const std::array<std::pair<PlotKind, QLatin1String>, 4> kKindNames = {
    {{PlotKind::HessianDiagonal, QLatin1String("hessian")},
     {PlotKind::ColumnRange, QLatin1String("column-range")},
     {PlotKind::CumulativeError, QLatin1String("cumulative-error")},
     {PlotKind::Sensitivity, QLatin1String("sensitivity")}}};

DrawStyle styleFor(const FigureOptions& options, double dpi) {
    DrawStyle style;
    style.theme = PlotTheme::paper();
    style.font = options.fontFamily.isEmpty() ? QApplication::font() : QFont(options.fontFamily);
    style.font.setFamily(QFontInfo(style.font).family());  // a real name, not an alias: SVG readers look it up
    style.font.setPixelSize(std::max(1, static_cast<int>(std::lround(options.fontPt * dpi / 72))));
    style.line = options.linePt * dpi / 72;
    style.axis = options.linePt * 0.75 * dpi / 72;
    style.paper = true;
    return style;
}

QSize unitsFor(const FigureOptions& options, double dpi) {
    return {static_cast<int>(std::lround(options.widthMm / kMmPerInch * dpi)),
            static_cast<int>(std::lround(options.heightMm / kMmPerInch * dpi))};
}

QByteArray pdfBytes(const FigureOptions& options, const PlotContent& content) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer(&buffer);
    writer.setResolution(kVectorDpi);
    writer.setCreator(QStringLiteral("OWQ Workbench"));
    writer.setTitle(content.title);
    writer.setPageSize(QPageSize(QSizeF(options.widthMm, options.heightMm), QPageSize::Millimeter, QString(), QPageSize::ExactMatch));
    writer.setPageMargins(QMarginsF(0, 0, 0, 0));
    if (!paintVector(&writer, unitsFor(options, kVectorDpi), content, styleFor(options, kVectorDpi))) return {};
    buffer.close();
    return withExactPageSize(bytes, options.widthMm / kMmPerInch * 72, options.heightMm / kMmPerInch * 72);
}

QByteArray svgBytes(const FigureOptions& options, const PlotContent& content) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setResolution(kVectorDpi);
    const QSize size = unitsFor(options, kVectorDpi);
    generator.setSize(size);
    generator.setViewBox(QRect(QPoint(0, 0), size));
    generator.setTitle(content.title);
    generator.setDescription(QStringLiteral("OWQ Workbench"));
    if (!paintVector(&generator, size, content, styleFor(options, kVectorDpi))) return {};
    return bytes;
}

QByteArray pngBytes(const FigureOptions& options, const PlotContent& content) {
    QImage image = paintImage(unitsFor(options, options.pngDpi), content, styleFor(options, options.pngDpi));
    if (image.isNull()) return {};
    const int dotsPerMeter = static_cast<int>(std::lround(options.pngDpi / kMmPerInch * 1000));
    image.setDotsPerMeterX(dotsPerMeter);
    image.setDotsPerMeterY(dotsPerMeter);
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    return image.save(&buffer, "PNG") ? bytes : QByteArray();
}

QString problem(const FigureOptions& options, const QString& path) {
    if (!figureFormat(path)) return QStringLiteral("%1: the name of a figure ends in .pdf, .svg or .png").arg(path);
    const auto within = [](double value, double lower, double upper) { return value >= lower && value <= upper; };
    if (!within(options.widthMm, 20, 1000) || !within(options.heightMm, 20, 1000))
        return QStringLiteral("A figure is 20 to 1000 mm wide and high, not %1 × %2 mm").arg(options.widthMm).arg(options.heightMm);
    if (!within(options.fontPt, 3, 72)) return QStringLiteral("The font size is 3 to 72 pt, not %1 pt").arg(options.fontPt);
    if (!within(options.linePt, 0.05, 20)) return QStringLiteral("The line width is 0.05 to 20 pt, not %1 pt").arg(options.linePt);
    const double pixels = options.widthMm * options.heightMm * std::pow(options.pngDpi / kMmPerInch, 2);
    if (figureFormat(path) == FigureFormat::Png && (!within(options.pngDpi, 50, 2400) || pixels > 1e8))
        return QStringLiteral("The resolution is 50 to 2400 dpi and at most 100 million pixels, not %1 dpi at this size").arg(options.pngDpi);
    return {};
}

}  // namespace

FigureResult renderFigure(const FigureOptions& options, std::span<const LayerCurvesPtr> curves, const QString& path) {
    FigureResult result;
    result.error = problem(options, path);
    if (!result.error.isEmpty()) return result;
    const PlotContent content = figureContent(options, curves);
    if (content.empty()) {
        result.error = QStringLiteral("There is nothing to draw. %1.").arg(content.emptyText);
        return result;
    }
    QByteArray bytes;
    switch (*figureFormat(path)) {
        case FigureFormat::Pdf: bytes = pdfBytes(options, content); break;
        case FigureFormat::Svg: bytes = svgBytes(options, content); break;
        case FigureFormat::Png: bytes = pngBytes(options, content); break;
    }
    if (bytes.isEmpty()) {
        result.error = QStringLiteral("The figure could not be drawn; try a smaller size");
        return result;
    }
    result.error = writeFile(path, bytes);
    if (!result.error.isEmpty()) return result;
    result.files << path;
    if (!options.csvPath.isEmpty()) {
        result.error = writeFile(options.csvPath, tableText(content, TableFormat::Csv).toUtf8());
        if (!result.error.isEmpty()) return result;
        result.files << options.csvPath;
    }
    result.ok = true;
    return result;
}

QImage figureImage(const FigureOptions& options, std::span<const LayerCurvesPtr> curves, double dpi) {
    return paintImage(unitsFor(options, dpi), figureContent(options, curves), styleFor(options, dpi));
}

PlotContent figureContent(const FigureOptions& options, std::span<const LayerCurvesPtr> curves) {
    switch (options.kind) {
        case PlotKind::ColumnRange: return columnRangeContent(curves, options.xMode);
        case PlotKind::CumulativeError: return cumulativeErrorContent(curves, options.xMode, options.errorScale);
        case PlotKind::Sensitivity: return sensitivityContent(curves, options.xMode);
        case PlotKind::HessianDiagonal: break;
    }
    return hessianContent(curves, options.xMode);
}

std::optional<FigureFormat> figureFormat(const QString& path) {
    const QString ending = QFileInfo(path).suffix().toLower();
    if (ending == QLatin1String("pdf")) return FigureFormat::Pdf;
    if (ending == QLatin1String("svg")) return FigureFormat::Svg;
    if (ending == QLatin1String("png")) return FigureFormat::Png;
    return std::nullopt;
}

std::optional<PlotKind> plotKind(const QString& name) {
    for (const auto& [kind, text] : kKindNames)
        if (text == name) return kind;
    return std::nullopt;
}

QString plotKindName(PlotKind kind) {
    for (const auto& [known, text] : kKindNames)
        if (known == kind) return text;
    return {};
}

}  // namespace owq
