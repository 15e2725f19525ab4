// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/try_it/try_panel.h"

#include <QBoxLayout>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSpinBox>

#include "widgets/theme/icon.h"

namespace owq {

TryPanel::TryPanel(QWidget* parent)
    : QWidget(parent),
      model_(new QComboBox),
      prompt_(new QLineEdit),
      go_(new QPushButton(themedIcon(QStringLiteral("run")), tr("&Write"))),
      answer_(new QPlainTextEdit),
      tokens_(new QSpinBox),
      temperature_(new QDoubleSpinBox),
      topP_(new QDoubleSpinBox),
      status_(new QLabel) {
    model_->setAccessibleName(tr("Model to ask"));
    model_->setToolTip(tr("The original or one of its finished runs"));
    prompt_->setPlaceholderText(tr("The beginning of a text; the model goes on from there"));
    prompt_->setAccessibleName(tr("Prompt"));
    prompt_->setObjectName(QStringLiteral("prompt"));
    answer_->setReadOnly(true);
    answer_->setAccessibleName(tr("Answer"));
    answer_->setPlaceholderText(tr("What the model writes appears here."));
    tokens_->setRange(1, 100000);
    tokens_->setValue(64);
    tokens_->setSuffix(tr(" tokens"));
    tokens_->setAccessibleName(tr("Longest answer"));
    temperature_->setRange(0, 5);
    temperature_->setSingleStep(0.1);
    temperature_->setValue(0.7);
    temperature_->setPrefix(tr("T "));
    temperature_->setToolTip(tr("Temperature; 0 takes the likeliest token every time"));
    topP_->setRange(0.01, 1);
    topP_->setSingleStep(0.05);
    topP_->setValue(0.9);
    topP_->setPrefix(tr("p "));
    topP_->setToolTip(tr("Nucleus: the likeliest tokens that hold this share of the probability"));
    status_->setForegroundRole(QPalette::PlaceholderText);
    go_->setToolTip(tr("Let the model go on (Enter)"));
    go_->setEnabled(false);

    auto* top = new QHBoxLayout;
    top->setSpacing(6);
    top->addWidget(model_);
    top->addWidget(prompt_, 1);
    for (QWidget* w : std::initializer_list<QWidget*>{tokens_, temperature_, topP_, go_}) top->addWidget(w);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 2, 8, 6);
    layout->setSpacing(6);
    layout->addLayout(top);
    layout->addWidget(answer_);
    layout->addWidget(status_);
    setMinimumWidth(1);  // narrow windows squeeze the controls rather than grow
    model_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    model_->setMinimumContentsLength(14);
    connect(go_, &QPushButton::clicked, this, [this] {
        if (running_)
            Q_EMIT stopWanted();
        else
            go();
    });
    connect(prompt_, &QLineEdit::returnPressed, this, &TryPanel::go);
}

void TryPanel::go() {
    if (running_ || model_->currentIndex() < 0) return;
    Q_EMIT generateWanted({model_->currentData().toString(), prompt_->text(), tokens_->value(),
                           temperature_->value(), topP_->value(), 0});
}

void TryPanel::setModels(const QStringList& names, const QStringList& paths) {
    const QString kept = model_->currentData().toString();
    model_->clear();
    for (int i = 0; i < names.size(); ++i) model_->addItem(names[i], paths[i]);
    setModel(kept);
    go_->setEnabled(model_->count() > 0);
}

void TryPanel::setModel(const QString& path) {
    const int i = model_->findData(path);
    if (i >= 0) model_->setCurrentIndex(i);
}

void TryPanel::begin(const QString& prompt) {
    running_ = true;
    go_->setText(tr("&Stop"));
    go_->setIcon(themedIcon(QStringLiteral("stop")));
    answer_->setPlainText(prompt);
    status_->setText(tr("Writing…"));
}

void TryPanel::addText(const QString& text) {
    answer_->moveCursor(QTextCursor::End);
    answer_->insertPlainText(text);
    answer_->moveCursor(QTextCursor::End);
}

void TryPanel::end(const QString& status) {
    running_ = false;
    go_->setText(tr("&Write"));
    go_->setIcon(themedIcon(QStringLiteral("run")));
    status_->setText(status);
}

QString TryPanel::answer() const {
    return answer_->toPlainText();
}

}  // namespace owq
