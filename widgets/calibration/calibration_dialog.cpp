// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/calibration/calibration_dialog.h"

#include <QDialogButtonBox>
#include <QLabel>
#include <QListWidget>
#include <QPlainTextEdit>
#include <QSplitter>
#include <QVBoxLayout>

namespace owq {
namespace {
constexpr int kBeginning = 60;  // characters of a window in the list
}

CalibrationDialog::CalibrationDialog(const CalibrationTexts& texts, QWidget* parent) : QDialog(parent) {
    setWindowTitle(tr("Calibration windows"));
    auto* summary = new QLabel(texts.summary);
    summary->setObjectName(QStringLiteral("summary"));
    summary->setWordWrap(true);
    auto* list = new QListWidget;
    list->setAccessibleName(tr("Windows"));
    list->setUniformItemSizes(true);
    list->setTextElideMode(Qt::ElideRight);
    list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    for (qsizetype i = 0; i < texts.windows.size(); ++i)
        list->addItem(QStringLiteral("%1   %2").arg(i + 1).arg(texts.windows[i].left(kBeginning).simplified()));
    auto* text = new QPlainTextEdit;
    text->setObjectName(QStringLiteral("windowText"));
    text->setReadOnly(true);
    text->setAccessibleName(tr("Text of the window"));
    connect(list, &QListWidget::currentRowChanged, text, [text, windows = texts.windows](int row) { text->setPlainText(row < 0 ? QString() : windows[row]); });
    auto* both = new QSplitter;
    both->addWidget(list);
    both->addWidget(text);
    both->setChildrenCollapsible(false);
    both->setSizes({260, 480});
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(summary);
    for (const QString& warning : texts.warnings) {
        auto* label = new QLabel(tr("Warning: %1").arg(warning));
        label->setWordWrap(true);
        QFont bold = label->font();
        bold.setWeight(QFont::DemiBold);
        label->setFont(bold);
        layout->addWidget(label);
    }
    layout->addWidget(both, 1);
    layout->addWidget(buttons);
    resize(fontMetrics().averageCharWidth() * 120, fontMetrics().height() * 28);
    list->setCurrentRow(0);
    list->setFocus();
}

}  // namespace owq
