// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/run_panel/run_panel.h"

#include <QButtonGroup>
#include <QCheckBox>
#include <QComboBox>
#include <QFileInfo>
#include <QFormLayout>
#include <QGroupBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QSlider>
#include <QSpinBox>
#include <QToolButton>
#include <cmath>

#include "widgets/common/format.h"
#include "widgets/run_panel/path_edit.h"
#include "widgets/theme/icon.h"
#include "widgets/theme/primary_button.h"

namespace owq {
namespace {

const char* const kMethods[] = {"owq", "optq", "rtn"};
constexpr int kSliderSteps = 100;  // of the slider, per bit
constexpr int kOwn = -1;           // of a number: the recipe's own

QFormLayout* form(QWidget* parent) {
    auto* layout = new QFormLayout(parent);
    layout->setFieldGrowthPolicy(QFormLayout::ExpandingFieldsGrow);
    layout->setRowWrapPolicy(QFormLayout::DontWrapRows);
    layout->setHorizontalSpacing(12);
    layout->setVerticalSpacing(8);
    return layout;
}

QComboBox* combo(const QString& name, const QString& tip) {
    auto* box = new QComboBox;
    box->setAccessibleName(name);
    box->setToolTip(tip);
    return box;
}

}  // namespace

RunPanel::RunPanel(QWidget* parent) : QWidget(parent) {
    auto* content = new QWidget;
    auto* column = new QVBoxLayout(content);
    column->setContentsMargins(6, 2, 8, 2);
    column->addWidget(makeMethod());
    column->addWidget(makeCalibration());
    column->addWidget(makeAdvanced());
    column->addStretch();
    auto* scroll = new QScrollArea;
    scroll->setWidget(content);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    content->setMinimumWidth(content->minimumSizeHint().width());

    problem_ = new QLabel;
    problem_->setWordWrap(true);
    problem_->setForegroundRole(QPalette::PlaceholderText);
    analyze_ = new QPushButton(themedIcon(QStringLiteral("analyze")), tr("&Analyze"));
    analyze_->setObjectName(QStringLiteral("analyze"));
    analyze_->setToolTip(
        tr("Run the calibration windows through the model and show Hessian, sensitivity and predicted error "
           "(F6)"));
    run_ = new QPushButton(themedIcon(QStringLiteral("run")), tr("&Run"));
    makePrimary(run_, QStringLiteral("run"));
    run_->setObjectName(QStringLiteral("run"));
    run_->setDefault(true);
    run_->setToolTip(tr("Quantize the model with these settings (F5)"));
    cancel_ = new QPushButton(themedIcon(QStringLiteral("stop")), tr("&Cancel"));
    cancel_->setObjectName(QStringLiteral("cancel"));
    cancel_->setToolTip(tr("Stop the running job; finished layers are kept (Shift+F5)"));
    for (QPushButton* b : {analyze_, run_, cancel_}) b->setMinimumHeight(34);
    connect(analyze_, &QPushButton::clicked, this, &RunPanel::analyzeWanted);
    connect(run_, &QPushButton::clicked, this, &RunPanel::runWanted);
    connect(cancel_, &QPushButton::clicked, this, &RunPanel::cancelWanted);
    auto* buttons = new QHBoxLayout;
    buttons->setContentsMargins(6, 0, 8, 8);
    buttons->addWidget(analyze_, 1);
    buttons->addWidget(run_, 1);
    buttons->addWidget(cancel_, 1);

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(scroll, 1);
    auto* note = new QHBoxLayout;
    note->setContentsMargins(8, 0, 8, 0);
    note->addWidget(problem_);
    layout->addLayout(note);
    layout->addLayout(buttons);
    setSettings({});
    setForecast({});
    setBusy(false);
}

QWidget* RunPanel::makeMethod() {
    auto* box = new QGroupBox(tr("Method"));
    auto* layout = form(box);
    auto* row = new QWidget;
    auto* choices = new QHBoxLayout(row);
    choices->setContentsMargins(0, 0, 0, 0);
    choices->setSpacing(0);
    methods_ = new QButtonGroup(this);
    const QString tips[] = {
        tr("Outlier-aware: the columns that matter most stay in 16 bit, the rest by OPTQ"),
        tr("OPTQ (GPTQ): every column quantized, errors passed on to later columns"),
        tr("Round to nearest: no calibration, the baseline")};
    for (int i = 0; i < 3; ++i) {
        auto* b = new QToolButton;
        b->setText(QString::fromLatin1(kMethods[i]).toUpper());
        b->setObjectName(QStringLiteral("method_") + QLatin1String(kMethods[i]));
        b->setCheckable(true);
        b->setToolTip(tips[i]);
        b->setAccessibleDescription(tips[i]);
        b->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
        b->setMinimumHeight(30);
        b->setStyleSheet(
            QStringLiteral("QToolButton { border: 1px solid palette(mid); background: palette(base); %1 }"
                           "QToolButton:hover { background: palette(midlight); }"
                           "QToolButton:checked { background: palette(highlight); color: "
                           "palette(highlighted-text); border-color: palette(highlight); }")
                .arg(QLatin1String(i == 0   ? "border-top-left-radius: 6px; border-bottom-left-radius: 6px;"
                                   : i == 2 ? "border-top-right-radius: 6px; border-bottom-right-radius: 6px;"
                                            : "border-left: none; border-right: none;")));
        methods_->addButton(b, i);
        choices->addWidget(b);
    }
    layout->addRow(row);
    connect(methods_, &QButtonGroup::idToggled, this, [this] { refresh(); });

    bits_ = new QComboBox;
    for (int b : {2, 3, 4, 8}) bits_->addItem(tr("%1 bits").arg(b), b);
    bits_->setAccessibleName(tr("Bits per weight"));
    bits_->setToolTip(tr("Bits of every weight outside the weak columns"));
    layout->addRow(tr("&Weights"), bits_);
    connect(bits_, &QComboBox::currentIndexChanged, this, [this] {
        // What is left for weak columns stays the same above other bits.
        const int bits = bits_->currentData().toInt();
        target_->setValue(target_->value() - lastBits_ + bits);
        lastBits_ = bits;
        refresh();
    });

    targetRow_ = new QWidget;
    auto* targetLayout = new QHBoxLayout(targetRow_);
    targetLayout->setContentsMargins(0, 0, 0, 0);
    targetSlider_ = new QSlider(Qt::Horizontal);
    targetSlider_->setRange(2 * kSliderSteps, 8 * kSliderSteps);
    targetSlider_->setAccessibleName(tr("Target bits"));
    target_ = new QDoubleSpinBox;
    target_->setRange(2, 8);
    target_->setDecimals(3);
    target_->setSingleStep(0.01);
    target_->setAccessibleName(tr("Target bits"));
    target_->setObjectName(QStringLiteral("targetBits"));
    targetSlider_->setToolTip(tr("Average bits per weight, weak columns included"));
    target_->setToolTip(targetSlider_->toolTip());
    targetLayout->addWidget(targetSlider_, 1);
    targetLayout->addWidget(target_);
    auto* targetLabel = new QLabel(tr("&Target"));
    targetLabel->setBuddy(target_);
    layout->addRow(targetLabel, targetRow_);
    connect(targetSlider_, &QSlider::valueChanged, this,
            [this](int v) { target_->setValue(double(v) / kSliderSteps); });
    connect(target_, &QDoubleSpinBox::valueChanged, this, [this](double v) {
        const QSignalBlocker quiet(targetSlider_);  // the slider is coarser and must not round the box
        targetSlider_->setValue(int(std::lround(v * kSliderSteps)));
        refresh();
    });
    preset_ = combo(tr("Recipe"), tr("Paper: as the method's authors compute. Best: closer to the original at the same stored size, but slower"));
    preset_->setObjectName(QStringLiteral("recipe"));
    preset_->addItem(tr("paper"), QStringLiteral("paper"));
    preset_->addItem(tr("best"), QStringLiteral("best"));
    device_ = combo(tr("Device"), tr("What computes. CUDA needs an NVIDIA GPU, our CUDA kernels and LibTorch's CUDA half; what is missing is said when a run starts"));
    device_->setObjectName(QStringLiteral("device"));
    device_->addItem(tr("CPU"), QStringLiteral("cpu"));
    device_->addItem(tr("CUDA GPU"), QStringLiteral("cuda"));
    layout->addRow(tr("Re&cipe"), preset_);
    layout->addRow(tr("De&vice"), device_);
    for (QLabel** label : {&forecast_, &machine_}) {
        *label = new QLabel;
        (*label)->setWordWrap(true);
        (*label)->setForegroundRole(QPalette::PlaceholderText);
        layout->addRow(*label);
    }
    machine_->setObjectName(QStringLiteral("machineForecast"));
    for (QComboBox* box : {preset_, device_}) connect(box, &QComboBox::currentIndexChanged, this, [this] { refresh(); });
    return box;
}

QWidget* RunPanel::makeCalibration() {
    auto* box = new QGroupBox(tr("Calibration and destination"));
    auto* layout = form(box);
    calibration_ = new PathEdit(PathEdit::Kind::openFile, tr("Calibration text"));
    calibration_->setFilter(tr("Texts and tokens (*.txt *.jsonl *.gz *.safetensors);;All files (*)"));
    calibration_->edit().setObjectName(QStringLiteral("calibrationFile"));
    calibration_->edit().setPlaceholderText(tr("Text, JSON lines or token file"));
    layout->addRow(tr("&Text"), calibration_);
    connect(calibration_, &PathEdit::changed, this, [this] { refresh(); });
    samples_ = new QSpinBox;
    samples_->setRange(1, 65536);
    samples_->setAccessibleName(tr("Samples"));
    samples_->setObjectName(QStringLiteral("samples"));
    samples_->setToolTip(tr("Windows of text that run through the model"));
    layout->addRow(tr("&Samples"), samples_);
    sequenceLength_ = new QSpinBox;
    sequenceLength_->setRange(0, 1 << 20);
    sequenceLength_->setSpecialValueText(tr("from the model"));
    sequenceLength_->setAccessibleName(tr("Sequence length"));
    sequenceLength_->setToolTip(
        tr("Tokens in a window; from the model: the smaller of its maximum and 2048"));
    layout->addRow(tr("&Length"), sequenceLength_);
    windows_ = new QPushButton(tr("Loo&k at the windows…"));
    windows_->setObjectName(QStringLiteral("calibrationWindows"));
    windows_->setToolTip(tr("Shows the windows of text that this would draw, and what is wrong with them"));
    connect(windows_, &QPushButton::clicked, this, &RunPanel::windowsWanted);
    layout->addRow(QString(), windows_);
    out_ = new PathEdit(PathEdit::Kind::saveFile, tr("Run directory"));
    out_->edit().setObjectName(QStringLiteral("runDirectory"));
    layout->addRow(tr("Sa&ve to"), out_);
    connect(out_, &PathEdit::changed, this, [this] { refresh(); });
    return box;
}

QWidget* RunPanel::makeAdvanced() {
    auto* box = new QWidget;
    auto* fold = new QToolButton;
    fold->setText(tr("More settings"));
    fold->setCheckable(true);
    fold->setAutoRaise(true);
    fold->setArrowType(Qt::RightArrow);
    fold->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    fold->setToolTip(tr("Grid, groups, damping and order of columns"));
    auto* inside = new QGroupBox;
    auto* layout = form(inside);
    grid_ = combo(tr("Grid"), tr("How a row's scale and zero are found"));
    grid_->addItem(tr("the method's own"), QString());
    grid_->addItem(tr("range search"), QStringLiteral("search"));
    grid_->addItem(tr("min-max"), QStringLiteral("minmax"));
    grid_->addItem(tr("the better of both"), QStringLiteral("either"));
    layout->addRow(tr("&Grid"), grid_);
    groupSize_ = combo(tr("Group size"), tr("Columns that share one scale"));
    groupSize_->addItem(tr("whole row"), 0);
    for (int size : {32, 64, 128, 256}) groupSize_->addItem(QString::number(size), size);
    layout->addRow(tr("Gr&oup"), groupSize_);
    allocation_ = combo(tr("Allocation"), tr("Paper: its rule for weak columns. Greedy: bits and weak columns where they help most, at the same stored "
                                             "size; each linear is tried first, about as long as a plain run. An edited budget is taken as it is."));
    allocation_->setObjectName(QStringLiteral("allocation"));
    allocation_->addItem(tr("as the recipe"), QString());
    allocation_->addItem(tr("paper"), QStringLiteral("paper"));
    allocation_->addItem(tr("greedy"), QStringLiteral("greedy"));
    layout->addRow(tr("A&llocation"), allocation_);
    metric_ = combo(tr("Weak columns by"), tr("What ranks the columns that stay in 16 bit"));
    for (const char* m : {"sensitivity", "hessian", "weight-error", "weight-magnitude"}) metric_->addItem(QLatin1String(m), QLatin1String(m));
    layout->addRow(tr("&Weak by"), metric_);
    damping_ = new QDoubleSpinBox;
    damping_->setRange(kOwn * 0.0005, 1);
    damping_->setDecimals(4);
    damping_->setSingleStep(0.0005);
    damping_->setToolTip(tr("Share of the mean Hessian diagonal that is added to it"));
    layout->addRow(tr("&Damping"), damping_);
    refine_ = new QSpinBox;
    refine_->setRange(kOwn, 1000);
    refine_->setToolTip(tr("Passes of coordinate descent over codes, scales and weak columns after the column loop"));
    layout->addRow(tr("Re&finement"), refine_);
    correction_ = new QDoubleSpinBox;
    correction_->setRange(kOwn * 0.05, 1);
    correction_->setDecimals(2);
    correction_->setSingleStep(0.05);
    correction_->setToolTip(tr("0 to 1: how far weights aim at the original's outputs, given the inputs that quantized layers leave"));
    layout->addRow(tr("&Input correction"), correction_);
    damping_->setSpecialValueText(tr("as the recipe"));
    refine_->setSpecialValueText(tr("as the recipe"));
    correction_->setSpecialValueText(tr("as the recipe"));
    damping_->setAccessibleName(tr("Damping"));
    refine_->setAccessibleName(tr("Refinement passes"));
    correction_->setAccessibleName(tr("Input correction"));
    seed_ = new QSpinBox;
    seed_->setRange(0, std::numeric_limits<int>::max());
    seed_->setAccessibleName(tr("Seed"));
    layout->addRow(tr("S&eed"), seed_);
    actOrder_ = new QCheckBox(tr("Act-order (columns by falling Hessian)"));
    symmetric_ = new QCheckBox(tr("Symmetric grid"));
    trueSequential_ = new QCheckBox(tr("True sequential (within a block)"));
    storedScales_ = new QCheckBox(tr("Scales rounded before the column loop"));
    for (QCheckBox* c : {actOrder_, symmetric_, trueSequential_, storedScales_}) {
        layout->addRow(c);
        connect(c, &QCheckBox::toggled, this, [this] { refresh(); });
    }
    connect(refine_, &QSpinBox::valueChanged, this, [this] { refresh(); });
    for (QDoubleSpinBox* box : {damping_, correction_}) connect(box, &QDoubleSpinBox::valueChanged, this, [this] { refresh(); });
    for (QSpinBox* box : {samples_, sequenceLength_}) connect(box, &QSpinBox::valueChanged, this, [this] { refresh(); });
    for (QComboBox* c : {grid_, groupSize_, allocation_, metric_}) connect(c, &QComboBox::currentIndexChanged, this, [this] { refresh(); });
    auto* holder = new QVBoxLayout(box);
    holder->setContentsMargins(0, 0, 0, 0);
    holder->addWidget(fold);
    holder->addWidget(inside);
    inside->hide();
    connect(fold, &QToolButton::toggled, inside, &QWidget::setVisible);
    connect(fold, &QToolButton::toggled, fold,
            [fold](bool open) { fold->setArrowType(open ? Qt::DownArrow : Qt::RightArrow); });
    return box;
}

RunSettings RunPanel::settings() const {
    RunSettings s;
    s.method = QString::fromLatin1(kMethods[std::max(0, methods_->checkedId())]);
    s.bits = bits_->currentData().toInt();
    s.targetBits = target_->value();
    s.grid = grid_->currentData().toString();
    s.groupSize = groupSize_->currentData().toInt();
    s.actOrder = actOrder_->isChecked();
    s.symmetric = symmetric_->isChecked();
    s.trueSequential = trueSequential_->isChecked();
    s.preset = preset_->currentData().toString();
    s.device = device_->currentData().toString();
    s.allocation = allocation_->currentData().toString();
    s.metric = metric_->currentData().toString();
    s.damping = damping_->value() < 0 ? kOwn : damping_->value();
    s.refinePasses = refine_->value();
    s.inputCorrection = correction_->value() < 0 ? kOwn : correction_->value();
    s.storedScales = storedScales_->isChecked();
    s.calibrationFile = calibration_->path();
    s.samples = samples_->value();
    s.sequenceLength = sequenceLength_->value();
    s.seed = quint64(seed_->value());
    s.out = out_->path();
    return s;
}

void RunPanel::setSettings(const RunSettings& s) {
    for (int i = 0; i < 3; ++i)
        if (s.method == QLatin1String(kMethods[i])) methods_->button(i)->setChecked(true);
    bits_->setCurrentIndex(std::max(0, bits_->findData(s.bits)));
    target_->setValue(s.targetBits);
    preset_->setCurrentIndex(std::max(0, preset_->findData(s.preset)));
    device_->setCurrentIndex(std::max(0, device_->findData(s.device)));
    allocation_->setCurrentIndex(std::max(0, allocation_->findData(s.allocation)));
    metric_->setCurrentIndex(std::max(0, metric_->findData(s.metric)));
    grid_->setCurrentIndex(std::max(0, grid_->findData(s.grid)));
    if (groupSize_->findData(s.groupSize) < 0) groupSize_->addItem(QString::number(s.groupSize), s.groupSize);
    groupSize_->setCurrentIndex(groupSize_->findData(s.groupSize));
    actOrder_->setChecked(s.actOrder);
    symmetric_->setChecked(s.symmetric);
    trueSequential_->setChecked(s.trueSequential);
    damping_->setValue(s.damping < 0 ? damping_->minimum() : s.damping);
    refine_->setValue(s.refinePasses);
    correction_->setValue(s.inputCorrection < 0 ? correction_->minimum() : s.inputCorrection);
    storedScales_->setChecked(s.storedScales);
    calibration_->setPath(s.calibrationFile);
    samples_->setValue(s.samples);
    sequenceLength_->setValue(s.sequenceLength);
    seed_->setValue(int(s.seed));
    out_->setPath(s.out);
    refresh();
}

void RunPanel::setWeights(double weights, double bitsPerWeight) {
    weights_ = weights;
    fullBits_ = bitsPerWeight;
    refresh();
}

void RunPanel::setForecast(const RunForecast& forecast) {
    QString text;
    if (!std::isnan(forecast.memoryBytes))
        text = tr("About %1 of memory, most while %2").arg(bytesText(forecast.memoryBytes), forecast.memoryWhen);
    if (!text.isEmpty())
        text += std::isnan(forecast.seconds) ? tr("; time not measured yet") : tr("; about %1").arg(durationText(forecast.seconds));
    if (!forecast.problem.isEmpty()) text = forecast.problem;
    machine_->setText(text);
    machine_->setVisible(!text.isEmpty());
}

void RunPanel::setModelOpen(bool open) {
    open_ = open;
    refresh();
}

void RunPanel::setBusy(bool busy) {
    busy_ = busy;
    analyze_->setVisible(!busy);
    run_->setVisible(!busy);
    cancel_->setVisible(busy);
    refresh();
}

void RunPanel::pressAnalyze() {
    if (!busy_) analyze_->click();
}

void RunPanel::pressRun() {
    if (!busy_) run_->click();
}

void RunPanel::refresh() {
    const RunSettings s = settings();
    const bool owq = s.method == QLatin1String("owq");
    targetRow_->setEnabled(owq);
    metric_->setEnabled(owq);
    const bool calibrates = s.method != QLatin1String("rtn");
    for (QWidget* w : std::initializer_list<QWidget*>{damping_, refine_, correction_, allocation_, actOrder_, trueSequential_, storedScales_})
        w->setEnabled(calibrates);
    const double bits = owq ? s.targetBits : s.bits;
    forecast_->setVisible(weights_ > 0);
    forecast_->setText(tr("%1 weights: %2 → about %3, %4 times smaller")
                           .arg(countText(weights_), bytesText(weights_ * fullBits_ / 8),
                                bytesText(weights_ * bits / 8), QString::number(fullBits_ / bits, 'f', 1)));
    QString problem;
    const bool needsText = s.method != QLatin1String("rtn");
    const bool textThere = QFileInfo(s.calibrationFile).isFile();
    if (!open_)
        problem = tr("Open a model first.");
    else if (needsText && s.calibrationFile.isEmpty())
        problem = tr("Choose a calibration text.");
    else if (needsText && !textThere)
        problem = tr("The calibration text is not there.");
    else if (owq && s.targetBits <= s.bits)
        problem = tr("The target must be above %1 bits, to leave room for weak columns.").arg(s.bits);
    else if (s.out.isEmpty())
        problem = tr("Choose where to save the run.");
    problem_->setText(busy_ ? QString() : problem);
    problem_->setVisible(!problem_->text().isEmpty());
    run_->setEnabled(problem.isEmpty());
    analyze_->setEnabled(open_ && textThere);
    windows_->setEnabled(open_ && textThere);
    Q_EMIT changed();
}

}  // namespace owq
