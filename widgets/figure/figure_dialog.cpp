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
#include <QMessageBox>
#include <QPainter>
#include <QProgressBar>
#include <QPushButton>
#include <QSignalBlocker>
#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>
#include <array>

#include "widgets/common/in_background.h"

namespace owq {
namespace {

constexpr std::array<double, 2> kPresets = {85, 175};
constexpr int kPreviewDelay = 60;  // ms: steps of a number that is held down are drawn once
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

FigureDialog::FigureDialog(std::vector<Figure> figures, QWidget* parent) : QDialog(parent) {
    makeFields(figures.empty() ? FigureOptions() : figures.front().options);
    take(std::move(figures));
}

FigureDialog::FigureDialog(std::function<std::vector<Figure>()> make, QWidget* parent) : QDialog(parent) {
    makeFields({});
    setWindowTitle(tr("Export figure"));
    setBusy(tr("Laying out the curves…"));
    inBackground(this, std::move(make), [this](std::vector<Figure> figures) {
        setBusy({});
        take(std::move(figures));
    });
}

FigureDialog::~FigureDialog() { stop_.request_stop(); }

void FigureDialog::take(std::vector<Figure> figures) {
    figures_ = std::move(figures);
    QStringList empty;
    if (several())
        std::erase_if(figures_, [&](const Figure& figure) {
            const bool nothing = !figure.source.emptyText.isEmpty();
            if (nothing) empty << figure.source.title;
            return nothing;
        });
    setWindowTitle(several() ? tr("Export all figures") : tr("Export figure"));
    to_->setText(several() ? tr("Names &begin") : tr("&To"));
    buttons_->button(QDialogButtonBox::Save)->setEnabled(!figures_.empty());
    const QString folder = remembered().folder.isEmpty() ? QDir::homePath() : remembered().folder;
    if (destination().isEmpty())
        setDestination(several() ? folder + QStringLiteral("/figure") : folder + QLatin1Char('/') + figures_.front().source.name + QLatin1Char('.') + kEndings[format_->currentIndex()]);
    if (!empty.isEmpty()) tell(tr("Nothing to draw yet for: %1.").arg(empty.join(QStringLiteral(", "))));
    showPreview();
}

void FigureDialog::makeFields(const FigureOptions& asked) {
    const FigureOptions& given = remembered().set ? remembered().options : asked;
    format_ = new QComboBox;
    format_->addItems({tr("PDF, text stays text"), tr("SVG"), tr("PNG")});
    format_->setCurrentIndex(remembered().format);
    preset_ = new QComboBox;
    preset_->addItems({tr("One column, 85 mm"), tr("Two columns, 175 mm"), tr("Own width")});
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

    fields_ = new QWidget;
    auto* form = new QFormLayout(fields_);
    form->setContentsMargins(0, 0, 0, 0);
    form->addRow(tr("&Format"), format_);
    form->addRow(tr("&Size"), preset_);
    form->addRow(tr("&Width"), width_);
    form->addRow(tr("&Height"), height_);
    form->addRow(tr("Font si&ze"), font_);
    form->addRow(tr("&Line width"), line_);
    form->addRow(tr("&Resolution"), dpi_);
    form->addRow(csv_);
    to_ = new QLabel(tr("&To"));
    to_->setBuddy(path_);
    path_->setMinimumWidth(240);
    form->addRow(to_, place);
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
    bar_ = new QProgressBar;
    bar_->setRange(0, 0);
    bar_->setTextVisible(false);
    bar_->hide();
    buttons_ = new QDialogButtonBox(QDialogButtonBox::Save | QDialogButtonBox::Cancel);
    redraw_ = new QTimer(this);
    redraw_->setSingleShot(true);
    redraw_->setInterval(kPreviewDelay);
    auto* top = new QHBoxLayout;
    top->addWidget(fields_, 0, Qt::AlignTop);
    top->addWidget(preview_, 1);
    auto* layout = new QVBoxLayout(this);
    layout->addLayout(top, 1);
    layout->addWidget(message_);
    layout->addWidget(bar_);
    layout->addWidget(buttons_);

    const auto fixed = std::find(kPresets.begin(), kPresets.end(), given.widthMm);
    preset_->setCurrentIndex(static_cast<int>(fixed - kPresets.begin()));
    dpi_->setEnabled(format_->currentIndex() == 2);
    connect(buttons_, &QDialogButtonBox::accepted, this, &FigureDialog::accept);
    connect(buttons_, &QDialogButtonBox::rejected, this, &FigureDialog::reject);
    connect(choose, &QPushButton::clicked, this, &FigureDialog::browse);
    connect(format_, &QComboBox::currentIndexChanged, this, &FigureDialog::chooseFormat);
    connect(preset_, &QComboBox::currentIndexChanged, this, &FigureDialog::choosePreset);
    connect(width_, &QDoubleSpinBox::valueChanged, this, [this](double width) {
        const QSignalBlocker quiet(preset_);
        preset_->setCurrentIndex(static_cast<int>(std::find(kPresets.begin(), kPresets.end(), width) - kPresets.begin()));
    });
    for (QDoubleSpinBox* spin : {width_, height_, font_, line_}) connect(spin, &QDoubleSpinBox::valueChanged, redraw_, qOverload<>(&QTimer::start));
    connect(redraw_, &QTimer::timeout, this, &FigureDialog::showPreview);
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
    if (several() || destination().isEmpty()) return;
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

void FigureDialog::setBusy(const QString& text) {
    busy_ = !text.isEmpty();
    bar_->setAccessibleName(text);
    bar_->setVisible(busy_);
    fields_->setEnabled(!busy_);
    buttons_->button(QDialogButtonBox::Save)->setEnabled(!busy_ && !figures_.empty());
    tell(text);
}

void FigureDialog::tell(const QString& text) {
    message_->setText(text);
    message_->setVisible(!text.isEmpty());
}

void FigureDialog::showPreview() {
    if (figures_.empty()) return;
    if (previewing_) return redraw_->start();  // one at a time, the last one with what is set then
    previewing_ = true;
    drawPreview(0, std::make_shared<QImage>());
}

void FigureDialog::drawPreview(size_t place, const std::shared_ptr<QImage>& sheet) {
    if (place == figures_.size()) {
        previewing_ = false;
        sheet->setDevicePixelRatio(2);
        return preview_->setPixmap(QPixmap::fromImage(*sheet));
    }
    const QSize room = preview_->minimumSize() * 2;  // drawn twice as fine as shown
    const int columns = figures_.size() > 1 ? 2 : 1, rows = (int(figures_.size()) + columns - 1) / columns;
    const QSize cell(room.width() / columns, room.height() / rows);
    const FigureOptions options = sized(figures_[place].options, {});
    const double dpi = 25.4 * std::min(cell.width() / options.widthMm, cell.height() / options.heightMm);
    inBackground(this, figurePreview(options, figures_[place].source, dpi), [this, place, sheet, columns, rows](const QImage& image) {
        if (sheet->isNull()) {
            *sheet = QImage(image.width() * columns, image.height() * rows, QImage::Format_RGB32);
            sheet->fill(Qt::white);
        }
        QPainter(sheet.get()).drawImage(image.width() * (int(place) % columns), image.height() * (int(place) / columns), image);
        drawPreview(place + 1, sheet);
    });
}

bool FigureDialog::mayReplace() {
    QStringList there;
    for (const Figure& figure : figures_)
        for (const QString& path : {pathOf(figure), sized(figure.options, pathOf(figure)).csvPath})
            if (QFileInfo(path).isFile() && !result_.files.contains(path)) there << QFileInfo(path).fileName();
    if (there.isEmpty()) return true;
    QMessageBox box(QMessageBox::Question, tr("Replace what is there?"),
                    tr("These files are there already and would be replaced:") + QLatin1Char('\n') + there.join(QLatin1Char('\n')),
                    QMessageBox::Cancel, this);
    const auto* replace = box.addButton(tr("&Replace"), QMessageBox::AcceptRole);
    box.setDefaultButton(QMessageBox::Cancel);
    box.exec();
    return box.clickedButton() == replace;
}

void FigureDialog::accept() {
    if (busy_ || figures_.empty() || !mayReplace()) return;
    result_ = {};
    stop_ = {};
    setBusy(tr("Writing…"));
    write(0);
}

// One after the other, for the short part of each is an event of its own.
void FigureDialog::write(size_t place) {
    if (place == figures_.size()) return finish();
    const QString path = pathOf(figures_[place]);
    inBackground(this, figureWriter(sized(figures_[place].options, path), figures_[place].source, path, stop_.get_token()), [this, place](const FigureResult& one) {
        result_.files << one.files;
        result_.ok = one.ok;
        result_.error = one.error;
        one.ok ? write(place + 1) : finish();
    });
}

void FigureDialog::finish() {
    setBusy({});
    if (!result_.ok && several() && !result_.files.isEmpty())
        result_.error += QLatin1Char(' ') + tr("Written so far: %1.").arg(result_.files.join(QStringLiteral(", ")));
    tell(result_.error);
    if (!result_.ok) return;
    remembered() = {true, csv_->isChecked(), format_->currentIndex(), options(), QFileInfo(destination()).path()};
    QDialog::accept();
}

void FigureDialog::reject() {
    stop_.request_stop();
    QDialog::reject();
}

}  // namespace owq
