// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/tune/tune_panel.h"

#include <QBoxLayout>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFileInfo>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSpinBox>
#include <algorithm>
#include <utility>

#include "widgets/run_panel/path_edit.h"
#include "widgets/theme/icon.h"
#include "widgets/theme/primary_button.h"
#include "widgets/tune/loss_plot.h"

namespace owq {
namespace {

QSpinBox* number(int least, int most, int value, const QString& name, const QString& tip) {
    auto* box = new QSpinBox;
    box->setRange(least, most);
    box->setValue(value);
    box->setAccessibleName(name);
    box->setToolTip(tip);
    return box;
}

QString besideModel(const QString& model) {
    const QFileInfo info(model);
    return model.isEmpty() ? QString() : (info.isFile() ? info.path() : model) + QStringLiteral("-tuned");
}

}  // namespace

TunePanel::TunePanel(QWidget* parent)
    : QWidget(parent),
      model_(new QComboBox),
      data_(new PathEdit(PathEdit::Kind::openFile, tr("Training data"))),
      validation_(new PathEdit(PathEdit::Kind::openFile, tr("Validation data"))),
      out_(new PathEdit(PathEdit::Kind::folder, tr("Folder of the tuning"))),
      epochs_(number(1, 1000, 3, tr("Epochs"), tr("Passes over the data"))),
      accumulate_(number(1, 10000, 8, tr("Windows a step"), tr("Windows whose gradients make one step of the optimizer"))),
      length_(number(0, 1 << 20, 0, tr("Tokens of a window"), tr("Tokens of a window; 0: the model's maximum, at most 512"))),
      seed_(number(0, 1 << 30, 0, tr("Seed"), tr("Decides what is held out, and the order"))),
      rate_(new QDoubleSpinBox),
      forecast_(new QPushButton(themedIcon(QStringLiteral("measure")), tr("&Forecast"))),
      anew_(new QPushButton(tr("Begin a&new…"))),
      start_(new QPushButton),
      status_(new QLabel),
      forecastText_(new QLabel),
      plot_(new LossPlot) {
    model_->setAccessibleName(tr("Model to tune"));
    model_->setToolTip(tr("A finished run, or the open packed model, with weak columns: --weak-columns 8, or a larger target, when it is quantized"));
    model_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    model_->setMinimumContentsLength(14);
    model_->setPlaceholderText(tr("No model with weak columns yet"));
    data_->edit().setObjectName(QStringLiteral("tuneData"));
    data_->edit().setPlaceholderText(tr("Text, or JSON lines with prompt and response"));
    data_->setFilter(tr("Texts (*.txt *.jsonl *.json);;All files (*)"));
    validation_->setFilter(tr("Texts (*.txt *.jsonl *.json);;All files (*)"));
    validation_->edit().setPlaceholderText(tr("A twentieth of the data is held out"));
    out_->edit().setObjectName(QStringLiteral("tuneOut"));
    length_->setSpecialValueText(tr("from the model"));
    rate_->setDecimals(6);
    rate_->setRange(1e-6, 1);
    rate_->setSingleStep(5e-4);
    rate_->setValue(Request{}.learningRate);
    rate_->setAccessibleName(tr("Learning rate"));
    rate_->setToolTip(tr("At its highest, of a column whose input has size 1; larger inputs learn slower. It rises over the first twentieth of the steps and falls as a cosine to a tenth"));

    auto* content = new QWidget;
    auto* form = new QFormLayout(content);
    form->setContentsMargins(6, 2, 8, 2);
    form->setFieldGrowthPolicy(QFormLayout::ExpandingFieldsGrow);
    form->setVerticalSpacing(8);
    form->addRow(tr("&Model"), model_);
    form->addRow(tr("&Data"), data_);
    form->addRow(tr("&Held out"), validation_);
    form->addRow(tr("Fol&der"), out_);
    form->addRow(tr("&Epochs"), epochs_);
    form->addRow(tr("&Learning rate"), rate_);
    form->addRow(tr("&Windows a step"), accumulate_);
    form->addRow(tr("&Tokens"), length_);
    form->addRow(tr("&Seed"), seed_);
    auto* scroll = new QScrollArea;
    scroll->setWidget(content);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setMinimumWidth(content->minimumSizeHint().width());  // nothing scrolls to what is cut off at the side

    for (QLabel* label : {status_, forecastText_}) {
        label->setWordWrap(true);
        label->setForegroundRole(QPalette::PlaceholderText);
    }
    status_->setObjectName(QStringLiteral("tuneStatus"));
    forecastText_->setObjectName(QStringLiteral("tuneForecast"));
    forecast_->setToolTip(tr("Memory and time; computes one window, writes nothing"));
    anew_->setObjectName(QStringLiteral("tuneAnew"));
    anew_->setToolTip(tr("Replace the tuning that the folder holds, its task file too, by one with these settings"));
    start_->setObjectName(QStringLiteral("tune"));
    makePrimary(start_, QStringLiteral("run"));
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(forecast_, 1);
    buttons->addWidget(anew_, 1);
    buttons->addWidget(start_, 1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(4, 4, 4, 6);
    layout->addWidget(scroll, 4);
    layout->addWidget(forecastText_);
    layout->addLayout(buttons);
    layout->addWidget(plot_, 3);
    layout->addWidget(status_);

    connect(model_, &QComboBox::currentIndexChanged, this, &TunePanel::suggestOut);
    connect(model_, &QComboBox::activated, this, [this] { wanted_.clear(); });
    connect(data_, &PathEdit::changed, this, &TunePanel::refresh);
    connect(out_, &PathEdit::changed, this, &TunePanel::refresh);
    connect(forecast_, &QPushButton::clicked, this, [this] { Q_EMIT forecastWanted(request()); });
    connect(anew_, &QPushButton::clicked, this, [this] {
        Request r = request();
        r.anew = true;
        Q_EMIT tuneWanted(r);
    });
    connect(start_, &QPushButton::clicked, this, [this] {
        if (running_)
            Q_EMIT stopWanted();
        else
            Q_EMIT tuneWanted(request());
    });
    refresh();
}

void TunePanel::setModels(const QStringList& names, const QStringList& paths) {
    const QString kept = paths.contains(wanted_) ? std::exchange(wanted_, {}) : model_->currentData().toString();
    model_->clear();
    for (int i = 0; i < names.size(); ++i) model_->addItem(names[i], paths[i]);
    model_->setCurrentIndex(std::max(model_->count() ? 0 : -1, model_->findData(kept)));
    suggestOut();
}

// Beside the run, until a person chooses otherwise.
void TunePanel::suggestOut() {
    const QString model = model_->currentData().toString();
    if (out_->path() == suggested_) {
        suggested_ = besideModel(model);
        out_->setPath(suggested_);
    }
    refresh();
}

TunePanel::Request TunePanel::request() const {
    return {model_->currentData().toString(), data_->path(), validation_->path(), out_->path(), epochs_->value(), accumulate_->value(),
            length_->value(), rate_->value(), static_cast<quint64>(seed_->value()), false};
}

void TunePanel::setRequest(const Request& r) {
    data_->setPath(r.data);
    validation_->setPath(r.validation);
    epochs_->setValue(r.epochs);
    accumulate_->setValue(r.accumulate);
    length_->setValue(r.sequenceLength);
    rate_->setValue(r.learningRate);
    seed_->setValue(static_cast<int>(std::min<quint64>(r.seed, 1 << 30)));
    suggested_ = r.out.isEmpty() || r.out == besideModel(r.model) ? r.out : QString();  // what nobody typed goes on following the model
    out_->setPath(r.out);
    wanted_ = r.model;
    if (const int place = model_->findData(wanted_); place >= 0 && !wanted_.isEmpty()) {
        wanted_.clear();
        model_->setCurrentIndex(place);
    }
    suggestOut();
}

void TunePanel::refresh() {
    const bool ready = model_->currentIndex() >= 0 && !data_->path().isEmpty();
    start_->setText(running_ ? tr("&Stop") : tr("&Tune"));
    start_->setEnabled(running_ || (ready && !out_->path().isEmpty()));
    start_->setToolTip(running_ ? tr("Stop; what was learned is kept, and Tune goes on from there")
                                : tr("Train the weak columns on the data; an unfinished tuning in the folder goes on"));
    forecast_->setEnabled(!running_ && ready);
    anew_->setVisible(!running_ && !out_->path().isEmpty() && QFileInfo::exists(out_->path() + QStringLiteral("/tuning.json")));
    anew_->setEnabled(ready);
}

void TunePanel::begin() {
    running_ = true;
    plot_->clear();
    status_->setText(tr("Waiting…"));
    refresh();
}

void TunePanel::end(const QString& status) {
    running_ = false;
    status_->setText(status);
    refresh();
}

void TunePanel::setStatus(const QString& text) { status_->setText(text); }
void TunePanel::setForecast(const QString& text) { forecastText_->setText(text); }

}  // namespace owq
