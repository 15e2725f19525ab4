// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/figure/figure_dialog.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QDir>
#include <QDoubleSpinBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPainter>
#include <QPushButton>
#include <QSignalBlocker>
#include <QVBoxLayout>
#include <algorithm>
#include <array>

namespace owq {
namespace {

constexpr std::array<double, 2> kPresets = {85, 175};
const QStringList kEndings = {QStringLiteral("pdf"), QStringLiteral("svg"), QStringLiteral("png")};

struct Remembered {
    bool set = false, csv = true;
    int format = 0;
    FigureOptions options;
    QString folder;
};
Remembered& remembered() {
    static Remembered state;
    return state;
}

QDoubleSpinBox* box(double lower, double upper, double step, int decimals, const QString& suffix, double value) {
    auto* spin = new QDoubleSpinBox;
    spin->setRange(lower, upper);
    spin->setSingleStep(step);
    spin->setDecimals(decimals);
    spin->setSuffix(suffix);
    spin->setValue(value);
    return spin;
}

}  // namespace

FigureDialog::FigureDialog(const FigureOptions& options, std::vector<LayerCurvesPtr> curves, QWidget* parent)
    : FigureDialog(options, curveFigure(options, curves), parent) {}

FigureDialog::FigureDialog(const FigureOptions& options, FigureSource source, QWidget* parent)
    : FigureDialog(std::vector{Figure{options, std::move(source)}}, parent) {}

FigureDialog::FigureDialog(std::vector<Figure> figures, QWidget* parent) : QDialog(parent), figures_(std::move(figures)) {
    QStringList empty;
    if (several())
        std::erase_if(figures_, [&](const Figure& figure) {
            const bool nothing = !figure.source.emptyText.isEmpty();
            if (nothing) empty << figure.source.title;
            return nothing;
        });
    setWindowTitle(several() ? tr("Export all figures") : tr("Export figure"));
    for (auto& [options, source] : figures_) {
        if (!remembered().set) break;
        const FigureOptions& last = remembered().options;
        options.widthMm = last.widthMm, options.heightMm = last.heightMm, options.fontPt = last.fontPt, options.linePt = last.linePt;
        options.pngDpi = last.pngDpi;
    }
    makeFields();
    const QString folder = remembered().folder.isEmpty() ? QDir::homePath() : remembered().folder;
    setDestination(several() ? folder + QStringLiteral("/figure") : folder + QLatin1Char('/') + figures_.front().source.name + QLatin1Char('.') + kEndings[format_->currentIndex()]);
    if (!empty.isEmpty()) {
        message_->setText(tr("Nothing to draw yet for: %1.").arg(empty.join(QStringLiteral(", "))));
        message_->show();
    }
    showPreview();
}

void FigureDialog::makeFields() {
    format_ = new QComboBox;
    format_->addItems({tr("PDF, text stays text"), tr("SVG"), tr("PNG")});
    format_->setCurrentIndex(remembered().format);
    preset_ = new QComboBox;
    preset_->addItems({tr("One column, 85 mm"), tr("Two columns, 175 mm"), tr("Own width")});
    const FigureOptions given = figures_.empty() ? FigureOptions() : figures_.front().options;
    width_ = box(20, 1000, 1, 1, tr(" mm"), given.widthMm);
    height_ = box(20, 1000, 1, 1, tr(" mm"), given.heightMm);
    font_ = box(3, 72, 0.5, 1, tr(" pt"), given.fontPt);
    line_ = box(0.05, 20, 0.05, 2, tr(" pt"), given.linePt);
    dpi_ = box(50, 2400, 50, 0, tr(" dpi"), given.pngDpi);
    csv_ = new QCheckBox(tr("Write the data beside it as &CSV"));
    csv_->setChecked(remembered().csv);
    path_ = new QLineEdit;
    auto* choose = new QPushButton(tr("&Browse…"));
    choose->setAutoDefault(false);
    auto* place = new QHBoxLayout;
    place->addWidget(path_, 1);
    place->addWidget(choose);

    auto* form = new QFormLayout;
    form->addRow(tr("&Format"), format_);
    form->addRow(tr("&Size"), preset_);
    form->addRow(tr("&Width"), width_);
    form->addRow(tr("&Height"), height_);
    form->addRow(tr("Font si&ze"), font_);
    form->addRow(tr("&Line width"), line_);
    form->addRow(tr("&Resolution"), dpi_);
    form->addRow(csv_);
    auto* to = new QLabel(several() ? tr("Names &begin") : tr("&To"));
    to->setBuddy(path_);
    path_->setMinimumWidth(240);
    form->addRow(to, place);
    const std::array<std::pair<QWidget*, const char*>, 9> names = {{{format_, "format"},
                                                                    {preset_, "preset"},
                                                                    {width_, "width"},
                                                                    {height_, "height"},
                                                                    {font_, "font"},
                                                                    {line_, "line"},
                                                                    {dpi_, "dpi"},
                                                                    {csv_, "csv"},
                                                                    {path_, "path"}}};
    for (const auto& [widget, name] : names) widget->setObjectName(QLatin1String(name));

    preview_ = new QLabel;
    preview_->setAlignment(Qt::AlignCenter);
    preview_->setMinimumSize(460, 330);
    preview_->setAccessibleName(tr("Preview of the figure"));
    message_ = new QLabel;
    message_->setObjectName(QStringLiteral("message"));
    message_->setWordWrap(true);
    message_->hide();
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Save | QDialogButtonBox::Cancel);
    buttons->button(QDialogButtonBox::Save)->setEnabled(!figures_.empty());
    auto* top = new QHBoxLayout;
    top->addLayout(form);
    top->addWidget(preview_, 1);
    auto* layout = new QVBoxLayout(this);
    layout->addLayout(top, 1);
    layout->addWidget(message_);
    layout->addWidget(buttons);

    const auto fixed = std::find(kPresets.begin(), kPresets.end(), given.widthMm);
    preset_->setCurrentIndex(static_cast<int>(fixed - kPresets.begin()));
    dpi_->setEnabled(format_->currentIndex() == 2);
    connect(buttons, &QDialogButtonBox::accepted, this, &FigureDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &FigureDialog::reject);
    connect(choose, &QPushButton::clicked, this, &FigureDialog::browse);
    connect(format_, &QComboBox::currentIndexChanged, this, &FigureDialog::chooseFormat);
    connect(preset_, &QComboBox::currentIndexChanged, this, &FigureDialog::choosePreset);
    connect(width_, &QDoubleSpinBox::valueChanged, this, [this](double width) {
        const QSignalBlocker quiet(preset_);
        preset_->setCurrentIndex(static_cast<int>(std::find(kPresets.begin(), kPresets.end(), width) - kPresets.begin()));
    });
    for (QDoubleSpinBox* spin : {width_, height_, font_, line_}) connect(spin, &QDoubleSpinBox::valueChanged, this, &FigureDialog::showPreview);
}

void FigureDialog::forget() { remembered() = {}; }

FigureOptions FigureDialog::options() const {
    return sized(figures_.empty() ? FigureOptions() : figures_.front().options, figures_.empty() ? destination() : pathOf(figures_.front()));
}

FigureOptions FigureDialog::sized(const FigureOptions& figure, const QString& path) const {
    FigureOptions options = figure;
    options.widthMm = width_->value();
    options.heightMm = height_->value();
    options.fontPt = font_->value();
    options.linePt = line_->value();
    options.pngDpi = dpi_->value();
    const QFileInfo file(path);
    if (csv_->isChecked()) options.csvPath = file.path() + QLatin1Char('/') + file.completeBaseName() + QStringLiteral(".csv");
    return options;
}

QString FigureDialog::pathOf(const Figure& figure) const {
    if (!several()) return destination();
    return QStringLiteral("%1-%2.%3").arg(destination(), figure.source.name, kEndings[format_->currentIndex()]);
}

QString FigureDialog::destination() const { return path_->text().trimmed(); }

void FigureDialog::setDestination(const QString& path) {
    path_->setText(path);
    if (const auto format = figureFormat(path)) format_->setCurrentIndex(static_cast<int>(*format));
}

void FigureDialog::choosePreset(int index) {
    if (index >= 0 && index < static_cast<int>(kPresets.size())) width_->setValue(kPresets[static_cast<size_t>(index)]);
    width_->setFocus();
}

void FigureDialog::chooseFormat() {
    dpi_->setEnabled(format_->currentIndex() == 2);
    if (several()) return;
    const QFileInfo file(destination());
    path_->setText(file.path() + QLatin1Char('/') + file.completeBaseName() + QLatin1Char('.') + kEndings[format_->currentIndex()]);
}

void FigureDialog::browse() {
    const QString path = several() ? QFileDialog::getSaveFileName(this, tr("What the names of the figures begin with"), destination(), {}, nullptr,
                                                                  QFileDialog::DontConfirmOverwrite)
                                   : QFileDialog::getSaveFileName(this, tr("Export figure"), destination(), tr("Figures (*.pdf *.svg *.png)"), nullptr,
                                                                  QFileDialog::DontConfirmOverwrite);
    if (!path.isEmpty()) setDestination(path);
}

void FigureDialog::showPreview() {
    if (figures_.empty()) return;
    const QSize room = preview_->minimumSize() * 2;  // drawn twice as fine as shown
    const int columns = figures_.size() > 1 ? 2 : 1, rows = (int(figures_.size()) + columns - 1) / columns;
    const QSize cell(room.width() / columns, room.height() / rows);
    const double dpi = 25.4 * std::min(cell.width() / width_->value(), cell.height() / height_->value());
    QImage sheet;
    for (size_t i = 0; i < figures_.size(); ++i) {
        const QImage image = figureImage(sized(figures_[i].options, {}), figures_[i].source, dpi);
        if (sheet.isNull()) {
            sheet = QImage(image.width() * columns, image.height() * rows, QImage::Format_RGB32);
            sheet.fill(Qt::white);
        }
        QPainter(&sheet).drawImage(image.width() * (int(i) % columns), image.height() * (int(i) / columns), image);
    }
    sheet.setDevicePixelRatio(2);
    preview_->setPixmap(QPixmap::fromImage(sheet));
}

void FigureDialog::accept() {
    FigureResult all;
    all.ok = true;
    for (const Figure& figure : figures_) {
        const QString path = pathOf(figure);
        const FigureResult one = writeFigure(sized(figure.options, path), figure.source, path);
        all.files << one.files;
        all.ok = one.ok;
        all.error = one.error;
        if (!one.ok) break;
    }
    if (!all.ok && several() && !all.files.isEmpty()) all.error += QLatin1Char(' ') + tr("Written so far: %1.").arg(all.files.join(QStringLiteral(", ")));
    result_ = all;
    message_->setText(result_.error);
    message_->setVisible(!result_.ok);
    if (!result_.ok) return;
    remembered() = {true, csv_->isChecked(), format_->currentIndex(), options(), QFileInfo(destination()).path()};
    QDialog::accept();
}

}  // namespace owq
