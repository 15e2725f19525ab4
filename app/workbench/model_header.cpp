// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/model_header.h"

#include <QBoxLayout>
#include <QComboBox>
#include <QFileInfo>
#include <QLabel>

#include "app/workbench/results_controller.h"
#include "app/workbench/run_controller.h"
#include "app/workbench/workspace.h"
#include "widgets/common/elided_label.h"
#include "widgets/common/format.h"

namespace owq {

ModelHeader::ModelHeader(Workspace& workspace, const ResultsController& results, const RunController& runs, QWidget* parent)
    : QWidget(parent),
      workspace_(workspace),
      results_(results),
      runs_(runs),
      title_(new QLabel),
      facts_(new ElidedLabel),
      source_(new QComboBox) {
    QFont font = title_->font();
    font.setPointSizeF(font.pointSizeF() * 1.25);
    font.setWeight(QFont::DemiBold);
    title_->setFont(font);
    facts_->setForegroundRole(QPalette::PlaceholderText);
    facts_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    source_->setAccessibleName(tr("Numbers shown"));
    source_->setToolTip(tr("Whose numbers the tree and the plots show"));
    source_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    source_->setMinimumContentsLength(16);
    auto* label = new QLabel(tr("Showing"));
    label->setForegroundRole(QPalette::PlaceholderText);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(12, 6, 8, 4);
    layout->setSpacing(12);
    layout->addWidget(title_);
    layout->addWidget(facts_, 1);
    layout->addWidget(label);
    layout->addWidget(source_);
    connect(source_, &QComboBox::activated, this,
            [this] { Q_EMIT sourceWanted(source_->currentData().toString()); });
    connect(&workspace_, &Workspace::modelChanged, this, &ModelHeader::refresh);
    connect(&workspace_, &Workspace::shownChanged, this, &ModelHeader::refresh);
    connect(&results_, &ResultsController::modelsChanged, this, &ModelHeader::refresh);
    connect(&runs_, &RunController::underWayChanged, this, &ModelHeader::refresh);
}

void ModelHeader::refresh() {
    if (!workspace_.isOpen()) return;
    const ModelInfo& info = workspace_.model().info;
    title_->setText(workspace_.title());
    title_->setToolTip(workspace_.path());
    QStringList facts;
    if (!info.family.empty()) facts << QString::fromStdString(info.family);
    if (info.parameters > 0) facts << countText(double(info.parameters));
    if (info.bytes > 0) {
        const std::string_view type = name(info.dtype);
        facts << bytesText(double(info.bytes)) + QLatin1Char(' ') + QString::fromUtf8(type.data(), qsizetype(type.size()));
    }
    if (const size_t files = workspace_.model().files.size(); files > 1) facts << tr("%n files", nullptr, int(files));
    if (info.blocks > 0) facts << tr("%n blocks", nullptr, info.blocks);
    facts_->setText(facts.join(QStringLiteral("  ·  ")));
    facts_->setToolTip(facts_->text() + QLatin1Char('\n') + tr("%n quantizable linears\n%1", nullptr, int(info.linears.size()))
                           .arg(QString::fromStdString(workspace_.model().tokenizer)));

    QStringList names, paths;
    results_.usableModels(names, paths);
    source_->clear();
    source_->addItem(tr("Unquantized model"), Workspace::kAnalysis);
    for (int i = 0; i < paths.size(); ++i)
        if (paths[i] != workspace_.path()) source_->addItem(names[i], paths[i]);
    for (const QString& run : runs_.underWay())
        if (!paths.contains(run)) source_->addItem(tr("%1 (under way)").arg(QFileInfo(run).fileName()), run);
    int at = source_->findData(workspace_.shown());
    if (at < 0) {  // a run that was stopped
        source_->addItem(QFileInfo(workspace_.shown()).fileName(), workspace_.shown());
        at = source_->count() - 1;
    }
    if (workspace_.isComparing()) {
        const auto nameOf = [this](const QString& path) {
            const int i = source_->findData(path);
            return i < 0 ? QFileInfo(path).fileName() : source_->itemText(i);
        };
        source_->addItem(tr("%1 (A) and %2 (B)").arg(nameOf(workspace_.shown()), nameOf(workspace_.comparedWith())), workspace_.shown());
        at = source_->count() - 1;
    }
    source_->setCurrentIndex(at);
}

}  // namespace owq
