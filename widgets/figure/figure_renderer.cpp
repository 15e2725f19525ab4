// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/figure/figure_renderer.h"

#include <QBuffer>
#include <QFileInfo>
#include <QFontDatabase>
#include <QFontInfo>
#include <QPainter>
#include <QPdfWriter>
#include <QSvgGenerator>
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <utility>

#include "widgets/column_range/column_range_content.h"
#include "widgets/common/write_file.h"
#include "widgets/error_saved/error_saved_content.h"
#include "widgets/figure/pdf_size.h"
#include "widgets/hessian/hessian_content.h"
#include "widgets/sensitivity/sensitivity_content.h"

namespace owq {
namespace {

constexpr double kMmPerInch = 25.4;
constexpr int kVectorDpi = 1440;  // 20 units per point: QCustomPlot lays out in whole units

const std::array<std::pair<PlotKind, QLatin1String>, 5> kKindNames = {
    {{PlotKind::HessianDiagonal, QLatin1String("hessian")},
     {PlotKind::ColumnRange, QLatin1String("column-range")},
     {PlotKind::CumulativeError, QLatin1String("cumulative-error")},
     {PlotKind::Sensitivity, QLatin1String("sensitivity")},
     {PlotKind::ErrorSaved, QLatin1String("error-saved")}}};
const std::array<QLatin1String, 3> kModeNames = {QLatin1String("index"), QLatin1String("rank"), QLatin1String("hessian")};  // of XMode

// Not the application's font: in the window that is the desktop's, and the command line has none. The first that this machine has; all of them
// have the letters that titles use.
const QStringList& families() {
    static const QStringList list = {QStringLiteral("DejaVu Sans"), QStringLiteral("Liberation Sans"), QStringLiteral("Noto Sans"), QStringLiteral("Arial"),
                                     QStringLiteral("Helvetica")};
    return list;
}

QFont figureFont(const QString& asked) {
    const auto known = std::find_if(families().begin(), families().end(), [](const QString& family) { return QFontDatabase::hasFamily(family); });
    QFont font(!asked.isEmpty() ? asked : known != families().end() ? *known : QStringLiteral("sans-serif"));
    font.setStyleHint(QFont::SansSerif);
    font.setFamily(QFontInfo(font).family());  // a real name, not an alias: SVG readers look it up
    font.setHintingPreference(QFont::PreferNoHinting);  // the desktop's hinting would move letters
    font.setResolveMask(QFont::AllPropertiesResolved);  // a painter takes what was never set from the application's font
    return font;
}

DrawStyle styleFor(const FigureOptions& options, double dpi) {
    DrawStyle style;
    style.theme = PlotTheme::paper();
    style.font = figureFont(options.fontFamily);
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

QByteArray pdfBytes(const FigureOptions& options, const QString& title, const FigurePainter& paint) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer(&buffer);
    writer.setResolution(kVectorDpi);
    writer.setCreator(QStringLiteral("OWQ Workbench"));
    writer.setTitle(title);
    writer.setPageSize(QPageSize(QSizeF(options.widthMm, options.heightMm), QPageSize::Millimeter, QString(), QPageSize::ExactMatch));
    writer.setPageMargins(QMarginsF(0, 0, 0, 0));
    if (!paint(writer)) return {};
    buffer.close();
    return withExactPageSize(bytes, options.widthMm / kMmPerInch * 72, options.heightMm / kMmPerInch * 72);
}

QByteArray svgBytes(const FigureOptions& options, const QString& title, const FigurePainter& paint) {
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setResolution(kVectorDpi);
    const QSize size = unitsFor(options, kVectorDpi);
    generator.setSize(size);
    generator.setViewBox(QRect(QPoint(0, 0), size));
    generator.setTitle(title);
    generator.setDescription(QStringLiteral("OWQ Workbench"));
    if (!paint(generator)) return {};
    return bytes;
}

QImage pixels(const FigureOptions& options, double dpi, const FigurePainter& paint) {
    QImage image(unitsFor(options, dpi), QImage::Format_RGB32);
    if (image.isNull()) return image;
    image.fill(PlotTheme::paper().background);
    return paint(image) ? image : QImage();
}

QByteArray pngBytes(const FigureOptions& options, const FigurePainter& paint) {
    QImage image = pixels(options, options.pngDpi, paint);
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

QString nameOf(PlotKind kind, std::span<const LayerCurvesPtr> curves) {
    QStringList linears;  // each once: a comparison has the curves of two runs
    for (const LayerCurvesPtr& c : curves)
        if (const QString name = shortName(c->name); !linears.contains(name)) linears << name;
    QString name = plotKindName(kind);
    if (!linears.isEmpty()) name += QLatin1Char('-') + linears.first();
    if (linears.size() > 1) name += QStringLiteral("-and-%1-more").arg(linears.size() - 1);
    return name.replace(QLatin1Char(' '), QLatin1Char('-')).replace(QLatin1Char('/'), QLatin1Char('-'));
}

}  // namespace

FigureSource curveFigure(const FigureOptions& options, std::span<const LayerCurvesPtr> curves) {
    const auto content = std::make_shared<const PlotContent>(figureContent(options, curves));
    FigureSource source;
    source.name = nameOf(options.kind, curves);
    source.title = content->title;
    if (content->empty()) source.emptyText = content->emptyText;
    source.painter = [content](QSize size, const DrawStyle& style) { return contentPainter(content, size, style); };
    source.csv = [content] { return tableText(*content, TableFormat::Csv); };
    return source;
}

FigureSource paintedFigure(const QString& name, const QString& title, std::function<void(QPainter&, const QRectF&, const DrawStyle&)> paint,
                           std::function<QString()> csv) {
    FigureSource source;
    source.name = name;
    source.title = title;
    source.csv = std::move(csv);
    source.painter = [paint = std::move(paint)](QSize size, const DrawStyle& style) {
        return [paint, size, style](QPaintDevice& device) {
            QPainter painter;
            if (!painter.begin(&device)) return false;
            painter.setFont(style.font);
            if (style.raster) painter.setRenderHints(QPainter::Antialiasing | QPainter::TextAntialiasing);
            paint(painter, QRectF(QPointF(), QSizeF(size)), style);
            return painter.end();
        };
    };
    return source;
}

std::function<FigureResult()> figureWriter(const FigureOptions& options, const FigureSource& source, const QString& path, std::stop_token stop) {
    QString error = problem(options, path);
    if (error.isEmpty() && !source.emptyText.isEmpty()) error = QStringLiteral("There is nothing to draw. %1.").arg(source.emptyText);
    if (!error.isEmpty()) return [error] { return FigureResult{.error = error}; };
    const FigureFormat format = *figureFormat(path);
    const double dpi = format == FigureFormat::Png ? options.pngDpi : kVectorDpi;
    DrawStyle style = styleFor(options, dpi);
    style.raster = format == FigureFormat::Png;
    return [options, path, stop = std::move(stop), format, title = source.title, csv = source.csv, paint = source.painter(unitsFor(options, dpi), style)] {
        FigureResult result;
        QByteArray bytes;
        switch (format) {
            case FigureFormat::Pdf: bytes = pdfBytes(options, title, paint); break;
            case FigureFormat::Svg: bytes = svgBytes(options, title, paint); break;
            case FigureFormat::Png: bytes = pngBytes(options, paint); break;
        }
        if (stop.stop_requested()) return result;
        result.error = bytes.isEmpty() ? QStringLiteral("The figure could not be drawn; try a smaller size") : writeFile(path, bytes);
        if (!result.error.isEmpty()) return result;
        result.files << path;
        if (!options.csvPath.isEmpty()) {
            const QByteArray data = csv().toUtf8();
            if (stop.stop_requested()) return result;
            result.error = writeFile(options.csvPath, data);
            if (!result.error.isEmpty()) return result;
            result.files << options.csvPath;
        }
        result.ok = true;
        return result;
    };
}

FigureResult writeFigure(const FigureOptions& options, const FigureSource& source, const QString& path) {
    return figureWriter(options, source, path)();
}

FigureResult renderFigure(const FigureOptions& options, std::span<const LayerCurvesPtr> curves, const QString& path) {
    return writeFigure(options, curveFigure(options, curves), path);
}

std::function<QImage()> figurePreview(const FigureOptions& options, const FigureSource& source, double dpi) {
    DrawStyle style = styleFor(options, dpi);
    style.raster = style.thin = true;
    return [options, dpi, paint = source.painter(unitsFor(options, dpi), style)] { return pixels(options, dpi, paint); };
}

namespace {

PlotContent contentOf(const FigureOptions& options, std::span<const LayerCurvesPtr> curves) {
    switch (options.kind) {
        case PlotKind::ColumnRange: return columnRangeContent(curves, options.xMode);
        case PlotKind::CumulativeError: return cumulativeErrorContent(curves, options.xMode, options.errorScale);
        case PlotKind::ErrorSaved: return errorSavedContent(curves);
        case PlotKind::Sensitivity: return sensitivityContent(curves, options.xMode);
        case PlotKind::HessianDiagonal: break;
    }
    return hessianContent(curves, options.xMode);
}

}  // namespace

PlotContent figureContent(const FigureOptions& options, std::span<const LayerCurvesPtr> curves) {
    PlotContent content = contentOf(options, curves);
    for (PlotBlock& block : content.blocks)
        if (block.weakCount == 0) block.cut.reset();  // on screen it can be taken there; on paper it parts nothing
    return content;
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

std::optional<XMode> xMode(const QString& name) {
    const auto found = std::find(kModeNames.begin(), kModeNames.end(), name);
    return found == kModeNames.end() ? std::nullopt : std::optional(XMode(found - kModeNames.begin()));
}

QString xModeName(XMode mode) { return kModeNames[size_t(mode)]; }

}  // namespace owq
