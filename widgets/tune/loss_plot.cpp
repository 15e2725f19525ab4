// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/tune/loss_plot.h"

#include <QBoxLayout>
#include <QClipboard>
#include <QEvent>
#include <QGuiApplication>
#include <QKeyEvent>
#include <algorithm>
#include <cmath>

#include "widgets/plot/draw_style.h"
#include "widgets/plot/qcustomplot.h"
#include "widgets/plot/whole_ticker.h"

namespace owq {
namespace {
constexpr double kMemory = 0.9;  // of the running mean: about the last ten steps
}

LossPlot::LossPlot(QWidget* parent) : QWidget(parent), plot_(new QCustomPlot) {
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Loss of the tuning, step by step"));
    setToolTip(tr("Loss of each step, its running mean, and of the held-out part; Ctrl+C copies the numbers"));
    setMinimumHeight(160);
    plot_->setAttribute(Qt::WA_TransparentForMouseEvents);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(plot_);
    steps_ = plot_->addGraph();
    mean_ = plot_->addGraph();
    validations_ = plot_->addGraph();
    steps_->setName(tr("step"));
    mean_->setName(tr("running mean"));
    validations_->setName(tr("held out"));
    plot_->xAxis->setLabel(tr("Step"));
    plot_->yAxis->setLabel(tr("Loss, nats a token"));
    plot_->xAxis->setTicker(QSharedPointer<QCPAxisTicker>(new WholeTicker));
    // Above the axes, where it covers no curve.
    plot_->axisRect()->insetLayout()->take(plot_->legend);
    plot_->plotLayout()->insertRow(0);
    plot_->plotLayout()->addElement(0, 0, plot_->legend);
    plot_->plotLayout()->setRowStretchFactor(0, 0.001);
    plot_->legend->setFillOrder(QCPLayoutGrid::foColumnsFirst);
    applyTheme();
}

void LossPlot::applyTheme() {
    const DrawStyle style = DrawStyle::onScreen(*this);
    const PlotTheme& theme = style.theme;
    styleAxes(*plot_, *plot_->legend, style);
    const QColor color = seriesColor(0, theme), other = seriesColor(1, theme);
    steps_->setPen(QPen(blend(theme.background, color, 0.45), 1));
    mean_->setPen(QPen(color, 2));
    validations_->setPen(QPen(other, 1.5, Qt::DashLine));
    validations_->setScatterStyle({QCPScatterStyle::ssDiamond, QPen(other), QBrush(other), 8});
    plot_->replot(QCustomPlot::rpQueuedReplot);
}

void LossPlot::clear() {
    points_.clear();
    counted_ = last_ = 0;
    least_ = std::numeric_limits<double>::infinity();
    most_ = -least_;
    for (QCPGraph* graph : {steps_, mean_, validations_}) graph->data()->clear();
    fit();
}

void LossPlot::setPlanned(int steps) {
    planned_ = steps;
    fit();
}

void LossPlot::add(const LossPoint& point) {
    points_.push_back(point);
    if (const double value = point.validation.value_or(point.loss); std::isfinite(value)) {
        least_ = std::min(least_, value);
        most_ = std::max(most_, value);
        last_ = std::max(last_, point.step);
    }
    if (point.validation) {
        validations_->addData(point.step, *point.validation);
    } else {
        // Weighted as if it had no beginning: the first value does not linger.
        running_ = counted_ ? running_ * kMemory + point.loss * (1 - kMemory) : point.loss * (1 - kMemory);
        ++counted_;
        steps_->addData(point.step, point.loss);
        mean_->addData(point.step, running_ / (1 - std::pow(kMemory, counted_)));
    }
    fit();
}

void LossPlot::fit() {
    const int last = std::max({planned_, last_, 1});
    plot_->legend->setVisible(!points_.empty());
    plot_->xAxis->setRange(-0.02 * last, 1.02 * last);
    if (least_ <= most_) {
        const double margin = std::max(0.08 * (most_ - least_), 1e-3 * std::abs(most_) + 1e-9);
        plot_->yAxis->setRange(least_ - margin, most_ + 2 * margin);
    }
    plot_->replot(QCustomPlot::rpQueuedReplot);
}

QString LossPlot::tableText() const {
    QString text = QStringLiteral("step\tloss\tvalidation\n");
    for (const LossPoint& p : points_)
        text += p.validation ? QStringLiteral("%1\t\t%2\n").arg(p.step).arg(*p.validation, 0, 'g', 9)
                             : QStringLiteral("%1\t%2\t\n").arg(p.step).arg(p.loss, 0, 'g', 9);
    return text;
}

void LossPlot::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange) applyTheme();
    QWidget::changeEvent(event);
}

void LossPlot::keyPressEvent(QKeyEvent* event) {
    if (event->matches(QKeySequence::Copy)) return QGuiApplication::clipboard()->setText(tableText());
    QWidget::keyPressEvent(event);
}

}  // namespace owq
