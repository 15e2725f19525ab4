// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/export_dialog/export_dialog.h"

#include <QBoxLayout>
#include <QComboBox>
#include <QDir>
#include <QFileInfo>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>

#include "widgets/common/format.h"
#include "widgets/run_panel/path_edit.h"
#include "widgets/theme/primary_button.h"
#include "widgets/theme/theme.h"

namespace owq {
namespace {

struct Format {
    const char *id, *name, *about, *suffix;
};
const Format kFormats[] = {
    {"owq", QT_TRANSLATE_NOOP("ExportDialog", "OWQ packed folder"),
     QT_TRANSLATE_NOOP("ExportDialog",
                       "Small and fast; loaded by this program and by owq. Holds config and tokenizer."),
     "-owq"},
    {"owq-pth", QT_TRANSLATE_NOOP("ExportDialog", "OWQ packed file (.pth)"),
     QT_TRANSLATE_NOOP("ExportDialog",
                       "The file of the method's authors; loaded by their code, and by this program with the "
                       "model's folder."),
     ".pth"},
    {"dense", QT_TRANSLATE_NOOP("ExportDialog", "Dense checkpoint"),
     QT_TRANSLATE_NOOP(
         "ExportDialog",
         "Dequantized to the model's number type: as large as the original, loaded by everything."),
     "-dense"},
    {"gptq", QT_TRANSLATE_NOOP("ExportDialog", "GPTQ checkpoint"),
     QT_TRANSLATE_NOOP("ExportDialog",
                       "For transformers, vLLM and other programs. Only of runs without weak columns (methods OPTQ and RTN)."),
     "-gptq"},
};

}  // namespace

ExportDialog::ExportDialog(const QString& run, const QString& suggestedFolder, QWidget* parent)
    : QDialog(parent),
      run_(run),
      folder_(suggestedFolder),
      format_(new QComboBox),
      layout_(new QComboBox),
      layoutLabel_(new QLabel(tr("&Layout"))),
      about_(new QLabel),
      space_(new QLabel),
      outcome_(new QLabel),
      status_(new QLabel),
      task_(new PathEdit(PathEdit::Kind::openFile, tr("Task of weak columns"))),
      out_(new PathEdit(PathEdit::Kind::saveFile, tr("Destination"))),
      bar_(new QProgressBar),
      go_(new QPushButton(tr("&Export"))),
      close_(new QPushButton(tr("Close"))) {
    setWindowTitle(tr("Export %1").arg(QFileInfo(run).fileName()));
    for (const Format& f : kFormats) format_->addItem(tr(f.name), QLatin1String(f.id));
    format_->setAccessibleName(tr("Format"));
    layout_->addItem(tr("Latency: weak columns keep a slot in the codes"), QStringLiteral("latency"));
    layout_->addItem(tr("Storage: weak columns are left out of the codes"), QStringLiteral("storage"));
    layout_->setAccessibleName(tr("Layout"));
    layout_->setObjectName(QStringLiteral("exportLayout"));
    layout_->setToolTip(tr("Latency is multiplied as it lies; storage is smaller by the codes of the weak columns"));
    layoutLabel_->setBuddy(layout_);
    for (QLabel* label : {about_, space_, outcome_, status_}) label->setWordWrap(true);
    about_->setForegroundRole(QPalette::PlaceholderText);
    outcome_->setTextFormat(Qt::RichText);
    outcome_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    task_->setToolTip(tr("A task file that was tuned on this run; its weak columns are written in place of the run's own"));
    task_->setFilter(tr("Tasks (*.safetensors);;All files (*)"));
    task_->edit().setObjectName(QStringLiteral("exportTask"));
    task_->edit().setPlaceholderText(tr("The run's own, or those of a task file"));
    out_->edit().setObjectName(QStringLiteral("destination"));
    makePrimary(go_, QStringLiteral("export"));
    go_->setObjectName(QStringLiteral("go"));
    go_->setDefault(true);
    bar_->setRange(0, 1000);
    bar_->setAccessibleName(tr("Progress of the export"));

    auto* form = new QFormLayout;
    form->setVerticalSpacing(10);
    form->setHorizontalSpacing(14);
    form->addRow(tr("&Format"), format_);
    form->addRow(QString(), about_);
    form->addRow(layoutLabel_, layout_);
    form->addRow(tr("&Weak columns"), task_);
    form->addRow(tr("&Destination"), out_);
    form->addRow(tr("Space"), space_);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(status_, 1);
    buttons->addWidget(close_);
    buttons->addWidget(go_);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(18, 18, 18, 14);
    layout->setSpacing(12);
    layout->addLayout(form);
    layout->addWidget(bar_);
    layout->addWidget(outcome_);
    layout->addStretch();
    layout->addLayout(buttons);
    setMinimumWidth(fontMetrics().averageCharWidth() * 84);

    connect(format_, &QComboBox::currentIndexChanged, this, [this] { suggest(); });
    connect(out_, &PathEdit::changed, this, [this] { refresh(); });
    connect(close_, &QPushButton::clicked, this, [this] {
        if (running_)
            Q_EMIT cancelWanted();
        else
            reject();
    });
    connect(go_, &QPushButton::clicked, this, [this] {
        outcome_->hide();
        setRunning(true);
        Q_EMIT exportWanted(request());
    });
    connect(this, &QDialog::rejected, this, [this] {
        if (running_) Q_EMIT cancelWanted();
    });
    outcome_->hide();
    setRunning(false);
    suggest();
}

void ExportDialog::setExpectedBytes(double packed, double dense) {
    packed_ = packed;
    dense_ = dense;
    refresh();
}

void ExportDialog::setFreeSpace(std::function<double(const QString&)> freeSpace) {
    freeSpace_ = std::move(freeSpace);
    refresh();
}

ExportDialog::Request ExportDialog::request() const {
    const QString format = format_->currentData().toString();
    const bool packed = format == QLatin1String("owq");
    return {run_, format, packed ? layout_->currentData().toString() : QStringLiteral("latency"), out_->path(), task_->path(), false};
}

void ExportDialog::suggest() {
    const Format& format = kFormats[format_->currentIndex()];
    about_->setText(tr(format.about));
    const bool packed = QLatin1String(format.id) == QLatin1String("owq");
    layout_->setVisible(packed);
    layoutLabel_->setVisible(packed);
    // Only a destination that nobody changed follows the format.
    if (out_->path() == suggested_ || out_->path().isEmpty()) {
        suggested_ = QDir(folder_).filePath(QFileInfo(run_).fileName() + QLatin1String(format.suffix));
        out_->setPath(suggested_);
    }
    refresh();
}

void ExportDialog::refresh() {
    const QString format = format_->currentData().toString();
    const double needed = format == QLatin1String("dense") ? dense_ : packed_;
    const double free = freeSpace_ ? freeSpace_(out_->path()) : -1;
    QString text = needed > 0 ? tr("About %1 needed").arg(bytesText(needed)) : QString();
    if (free >= 0)
        text +=
            (text.isEmpty() ? QString() : QStringLiteral(", ")) + tr("%1 free there").arg(bytesText(free));
    const bool tight = free >= 0 && needed > free;
    const bool exists = QFileInfo::exists(out_->path());
    if (tight) text += tr(". Choose another disk.");
    space_->setText(text.isEmpty() ? QStringLiteral("–") : text);
    status_->setText(exists && !finished_ ? tr("Something is already there: choose another name.")
                                          : QString());
    go_->setEnabled(!running_ && !out_->path().isEmpty() && !tight && !exists);
}

void ExportDialog::setRunning(bool running) {
    running_ = running;
    finished_ = false;
    bar_->setVisible(running);
    bar_->setValue(0);
    close_->setText(running ? tr("Cancel") : tr("Close"));
    format_->setEnabled(!running);
    layout_->setEnabled(!running);
    task_->setEnabled(!running);
    out_->setEnabled(!running);
    refresh();
}

void ExportDialog::setProgress(const QString& text, double fraction) {
    if (!running_) return;
    status_->setText(text);
    bar_->setValue(int(fraction * 1000));
}

void ExportDialog::setDone(const QString& out, double bytes, const QStringList& verification,
                           const QString& loadableBy) {
    setRunning(false);
    finished_ = true;
    QString html = tr("<b>Written and checked: %1</b> (%2)").arg(out.toHtmlEscaped(), bytesText(bytes));
    if (!verification.isEmpty()) {
        html += QStringLiteral("<ul>");
        for (const QString& line : verification)
            html += QStringLiteral("<li>%1</li>").arg(line.toHtmlEscaped());
        html += QStringLiteral("</ul>");
    }
    if (!loadableBy.isEmpty()) html += tr("Loadable by: %1").arg(loadableBy.toHtmlEscaped());
    showOutcome(html);
    refresh();
}

void ExportDialog::setFailed(const QString& happened, const QString& remedy) {
    setRunning(false);
    showOutcome(QStringLiteral("<b><span style='color:%1'>%2</span></b><br>%3")
                    .arg(Theme::bad(palette()).name(), happened.toHtmlEscaped(), remedy.toHtmlEscaped()));
}

void ExportDialog::showOutcome(const QString& html) {
    outcome_->setText(html);
    outcome_->show();
    // A layout's own idea of its size does not count the lines that wrap.
    layout()->activate();
    if (const int wanted = layout()->totalHeightForWidth(width()); wanted > height()) resize(width(), wanted);
}

}  // namespace owq
