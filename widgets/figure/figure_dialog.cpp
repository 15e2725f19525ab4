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
    : QDialog(parent), given_(options), source_(std::move(source)) {
    setWindowTitle(tr("Export figure"));
    if (remembered().set) {
        const FigureOptions& last = remembered().options;
        given_.widthMm = last.widthMm, given_.heightMm = last.heightMm, given_.fontPt = last.fontPt, given_.linePt = last.linePt;
        given_.pngDpi = last.pngDpi;
    }
    makeFields();
    const QString folder = remembered().folder.isEmpty() ? QDir::homePath() : remembered().folder;
    setDestination(folder + QLatin1Char('/') + source_.name + QLatin1Char('.') + kEndings[format_->currentIndex()]);
    showPreview();
}

void FigureDialog::makeFields() {
    format_ = new QComboBox;
    format_->addItems({tr("PDF, text stays text"), tr("SVG"), tr("PNG")});
    format_->setCurrentIndex(remembered().format);
    preset_ = new QComboBox;
    preset_->addItems({tr("One column, 85 mm"), tr("Two columns, 175 mm"), tr("Own width")});
    width_ = box(20, 1000, 1, 1, tr(" mm"), given_.widthMm);
    height_ = box(20, 1000, 1, 1, tr(" mm"), given_.heightMm);
    font_ = box(3, 72, 0.5, 1, tr(" pt"), given_.fontPt);
    line_ = box(0.05, 20, 0.05, 2, tr(" pt"), given_.linePt);
    dpi_ = box(50, 2400, 50, 0, tr(" dpi"), given_.pngDpi);
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
    auto* to = new QLabel(tr("&To"));
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
    auto* top = new QHBoxLayout;
    top->addLayout(form);
    top->addWidget(preview_, 1);
    auto* layout = new QVBoxLayout(this);
    layout->addLayout(top, 1);
    layout->addWidget(message_);
    layout->addWidget(buttons);

    const auto fixed = std::find(kPresets.begin(), kPresets.end(), given_.widthMm);
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

FigureOptions FigureDialog::options() const {
    FigureOptions options = given_;
    options.widthMm = width_->value();
    options.heightMm = height_->value();
    options.fontPt = font_->value();
    options.linePt = line_->value();
    options.pngDpi = dpi_->value();
    const QFileInfo file(destination());
    if (csv_->isChecked()) options.csvPath = file.path() + QLatin1Char('/') + file.completeBaseName() + QStringLiteral(".csv");
    return options;
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
    const QFileInfo file(destination());
    path_->setText(file.path() + QLatin1Char('/') + file.completeBaseName() + QLatin1Char('.') + kEndings[format_->currentIndex()]);
}

void FigureDialog::browse() {
    const QString path = QFileDialog::getSaveFileName(this, tr("Export figure"), destination(), tr("Figures (*.pdf *.svg *.png)"), nullptr,
                                                      QFileDialog::DontConfirmOverwrite);
    if (!path.isEmpty()) setDestination(path);
}

void FigureDialog::showPreview() {
    const FigureOptions now = options();
    const QSize room = preview_->minimumSize() * 2;  // drawn twice as fine as shown
    const double dpi = 25.4 * std::min(room.width() / now.widthMm, room.height() / now.heightMm);
    QImage image = figureImage(now, source_, dpi);
    image.setDevicePixelRatio(2);
    preview_->setPixmap(QPixmap::fromImage(image));
}

void FigureDialog::accept() {
    result_ = writeFigure(options(), source_, destination());
    message_->setText(result_.error);
    message_->setVisible(!result_.ok);
    if (!result_.ok) return;
    remembered() = {true, csv_->isChecked(), format_->currentIndex(), options(), QFileInfo(destination()).path()};
    QDialog::accept();
}

}  // namespace owq
