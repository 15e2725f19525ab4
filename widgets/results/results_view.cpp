// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/results/results_view.h"

#include <QBoxLayout>
#include <QCheckBox>
#include <QComboBox>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QSpinBox>
#include <QTableView>
#include <algorithm>

#include "widgets/common/tsv.h"
#include "widgets/run_panel/path_edit.h"
#include "widgets/theme/icon.h"

namespace owq {

ResultsView::ResultsView(QWidget* parent)
    : QWidget(parent),
      model_(new ResultsModel(this)),
      sorted_(new QSortFilterProxyModel(this)),
      table_(new QTableView),
      text_(new PathEdit(PathEdit::Kind::openFile, tr("Evaluation text"))),
      task_(new PathEdit(PathEdit::Kind::openFile, tr("Task of weak columns"))),
      examples_(new PathEdit(PathEdit::Kind::openFile, tr("Examples"))),
      protocol_(new QComboBox),
      windows_(new QSpinBox),
      shots_(new QSpinBox),
      examplesLabel_(new QLabel(tr("E&xamples"))),
      divergence_(new QCheckBox(tr("and &KL"))),
      measure_(new QPushButton(themedIcon(QStringLiteral("measure")), tr("&Measure"))),
      show_(new QPushButton(themedIcon(QStringLiteral("figure")), tr("S&how"))),
      compare_(new QPushButton(themedIcon(QStringLiteral("compare")), tr("Com&pare"))),
      export_(new QPushButton(themedIcon(QStringLiteral("export")), tr("&Export…"))) {
    sorted_->setSourceModel(model_);
    sorted_->setSortRole(ResultsModel::sortRole);
    table_->setModel(sorted_);
    table_->setAccessibleName(tr("Results"));
    table_->setSortingEnabled(true);
    table_->sortByColumn(-1, Qt::AscendingOrder);
    table_->setSelectionBehavior(QAbstractItemView::SelectRows);
    table_->setAlternatingRowColors(true);
    table_->setShowGrid(false);
    table_->verticalHeader()->hide();
    table_->horizontalHeader()->setSectionsMovable(true);
    table_->horizontalHeader()->setHighlightSections(false);
    table_->horizontalHeader()->setStretchLastSection(true);
    table_->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    table_->verticalHeader()->setDefaultSectionSize(fontMetrics().height() + 10);
    installCopy(table_);
    // What was measured stands where it is seen first: right after the method.
    connect(sorted_, &QAbstractItemModel::columnsInserted, this,
            [this](const QModelIndex&, int first, int last) {
                // Selected rows stay selected as wholes, or they would no longer count as such.
                QItemSelectionModel* selected = table_->selectionModel();
                selected->select(selected->selection(), QItemSelectionModel::Select | QItemSelectionModel::Rows);
                for (int column = first; column <= last; ++column)
                    table_->horizontalHeader()->moveSection(
                        table_->horizontalHeader()->visualIndex(column),
                        ResultsModel::methodColumn + 1 + column - ResultsModel::fixedColumns);
            });

    text_->edit().setPlaceholderText(tr("Text to measure on"));
    text_->edit().setObjectName(QStringLiteral("evaluationText"));
    text_->setFilter(tr("Texts, tokens and questions (*.txt *.jsonl *.json *.csv *.gz *.safetensors);;All files (*)"));
    for (const char* name : {"plain", "wikitext2", "ptb", "c4"}) protocol_->addItem(QLatin1String(name), QLatin1String(name));
    protocol_->addItem(tr("questions"), QStringLiteral("questions"));
    protocol_->setAccessibleName(tr("Protocol"));
    protocol_->setObjectName(QStringLiteral("protocol"));
    protocol_->setToolTip(tr("How lines are joined and windows are cut; questions: the file holds questions with answers (ARC, HellaSwag, MMLU, "
                             "LAMBADA, WinoGrande, or your own), and the share of right ones is measured"));
    windows_->setRange(0, 99999);
    windows_->setSpecialValueText(tr("all windows"));
    windows_->setSuffix(tr(" windows"));
    windows_->setAccessibleName(tr("Windows"));
    windows_->setToolTip(tr("Measure only so many windows of the text; fewer is faster and less exact"));
    measure_->setToolTip(tr("Measure the perplexity, or the answers to questions, of the selected rows, or of all of them (F7)"));
    measure_->setObjectName(QStringLiteral("measure"));
    show_->setToolTip(tr("Show the selected run's numbers in the tree and the plots (Enter, Ctrl+R)"));
    divergence_->setToolTip(tr("Measure how far the predictions are from the original's, too: KL divergence and top-1 agreement. Takes twice as long."));
    divergence_->setAccessibleName(tr("Measure KL divergence and top-1 agreement"));
    divergence_->setObjectName(QStringLiteral("divergence"));
    compare_->setToolTip(tr("Put the two selected runs into the same axes and list where they differ most (Ctrl+D)"));
    compare_->setObjectName(QStringLiteral("compare"));
    export_->setToolTip(tr("Write the selected run as a model that can be loaded (Ctrl+E)"));
    export_->setObjectName(QStringLiteral("export"));

    auto* top = new QHBoxLayout;
    top->setSpacing(6);
    top->addWidget(text_, 1);
    top->addWidget(protocol_);
    top->addWidget(windows_);
    top->addWidget(divergence_);
    top->addWidget(measure_);
    top->addSpacing(12);
    top->addWidget(show_);
    top->addWidget(compare_);
    top->addWidget(export_);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 2, 8, 6);
    layout->setSpacing(6);
    layout->addLayout(top);
    layout->addLayout(makeSettings());
    layout->addWidget(table_);

    setMinimumWidth(1);  // narrow windows squeeze the controls rather than grow
    connect(measure_, &QPushButton::clicked, this, [this] {
        QStringList paths = selectedPaths();
        if (paths.isEmpty())
            for (const ResultRow& row : model_->rows()) paths << row.path;
        Q_EMIT measureWanted(paths);
    });
    connect(show_, &QPushButton::clicked, this, [this] { Q_EMIT showWanted(selectedPaths().value(0)); });
    connect(compare_, &QPushButton::clicked, this, [this] {
        const QStringList paths = selectedPaths();
        if (paths.size() == 2) Q_EMIT compareWanted(paths[0], paths[1]);
    });
    connect(export_, &QPushButton::clicked, this, [this] { Q_EMIT exportWanted(selectedPaths().value(0)); });
    connect(table_, &QTableView::activated, this, [this](const QModelIndex& index) {
        if (index.column() != ResultsModel::nameColumn && index.column() != ResultsModel::noteColumn)
            Q_EMIT showWanted(index.data(ResultsModel::pathRole).toString());
    });
    connect(table_->selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] { refresh(); });
    connect(text_, &PathEdit::changed, this, [this] { refresh(); });
    connect(text_, &PathEdit::changed, this, &ResultsView::measureSettingsChanged);
    connect(protocol_, &QComboBox::currentIndexChanged, this, &ResultsView::measureSettingsChanged);
    connect(windows_, &QSpinBox::valueChanged, this, &ResultsView::measureSettingsChanged);
    connect(divergence_, &QCheckBox::toggled, this, &ResultsView::measureSettingsChanged);
    connect(shots_, &QSpinBox::valueChanged, this, &ResultsView::measureSettingsChanged);
    for (PathEdit* path : {task_, examples_}) connect(path, &PathEdit::changed, this, &ResultsView::measureSettingsChanged);
    connect(protocol_, &QComboBox::currentIndexChanged, this, &ResultsView::followProtocol);
    for (auto signal : {&QAbstractItemModel::rowsInserted, &QAbstractItemModel::rowsRemoved})
        connect(model_, signal, this, [this] { refresh(); });
    connect(model_, &QAbstractItemModel::dataChanged, this, [this] { refresh(); });
    connect(model_, &QAbstractItemModel::modelReset, this, [this] { refresh(); });
    followProtocol();
    refresh();
}

QLayout* ResultsView::makeSettings() {
    auto* taskLabel = new QLabel(tr("Weak col&umns"));
    taskLabel->setBuddy(task_);
    task_->setToolTip(tr("A task file that owq tune or Tune wrote, to measure the selected runs with its weak columns"));
    task_->setFilter(tr("Tasks (*.safetensors);;All files (*)"));
    task_->edit().setObjectName(QStringLiteral("evaluationTask"));
    task_->edit().setPlaceholderText(tr("The model's own, or those of a task file"));
    examplesLabel_->setBuddy(shots_);
    shots_->setRange(-1, 1000);
    shots_->setValue(-1);
    shots_->setSpecialValueText(tr("as usual"));
    shots_->setSuffix(tr(" shots"));
    shots_->setObjectName(QStringLiteral("shots"));
    shots_->setAccessibleName(tr("Examples before each question"));
    shots_->setToolTip(tr("Solved questions before each question; as usual: ARC 25, HellaSwag 10, MMLU 5, else none"));
    examples_->setToolTip(tr("File of solved questions, or for MMLU the folder with its SUBJECT_dev.csv files"));
    examples_->setFilter(tr("Questions (*.jsonl *.json *.csv *.gz);;All files (*)"));
    examples_->edit().setObjectName(QStringLiteral("examples"));
    examples_->edit().setPlaceholderText(tr("Drawn from the other questions"));
    auto* row = new QHBoxLayout;
    row->setSpacing(6);
    row->addWidget(taskLabel);
    row->addWidget(task_, 1);
    row->addWidget(examplesLabel_);
    row->addWidget(shots_);
    row->addWidget(examples_, 1);
    return row;
}

void ResultsView::followProtocol() {
    const bool questions = protocol_->currentData() == QStringLiteral("questions");
    windows_->setSpecialValueText(questions ? tr("all questions") : tr("all windows"));
    windows_->setSuffix(questions ? tr(" questions") : tr(" windows"));
    divergence_->setEnabled(!questions);
    for (QWidget* widget : std::initializer_list<QWidget*>{examplesLabel_, shots_, examples_}) widget->setVisible(questions);
}

MeasureSettings ResultsView::measureSettings() const {
    return {text_->path(), protocol_->currentData().toString(), windows_->value(), divergence_->isChecked(), task_->path(), shots_->value(), examples_->path()};
}

void ResultsView::setMeasureSettings(const MeasureSettings& settings) {
    text_->setPath(settings.text);
    protocol_->setCurrentIndex(std::max(0, protocol_->findData(settings.protocol)));
    windows_->setValue(settings.windows);
    divergence_->setChecked(settings.divergence);
    task_->setPath(settings.task);
    shots_->setValue(settings.shots);
    examples_->setPath(settings.examples);
}

QStringList ResultsView::selectedPaths() const {
    QStringList paths;
    for (const QModelIndex& index : table_->selectionModel()->selectedRows())
        paths << index.data(ResultsModel::pathRole).toString();
    return paths;
}

void ResultsView::select(const QString& path) {
    for (int row = 0; row < sorted_->rowCount(); ++row) {
        const QModelIndex index = sorted_->index(row, 0);
        if (index.data(ResultsModel::pathRole).toString() != path) continue;
        // Not selectRow: that one heeds keys a person happens to hold.
        table_->selectionModel()->setCurrentIndex(
            index, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
        table_->scrollTo(index);
    }
}

void ResultsView::pressCompare() {
    compare_->click();
}

void ResultsView::pressShow() {
    show_->click();
}

void ResultsView::pressMeasure() {
    measure_->click();
}

void ResultsView::refresh() {
    measure_->setEnabled(!text_->path().isEmpty() && model_->rowCount() > 0);
    const QStringList paths = selectedPaths();
    const ResultRow* row = paths.size() == 1 ? model_->find(paths.first()) : nullptr;
    show_->setEnabled(row);
    compare_->setEnabled(paths.size() == 2 && std::all_of(paths.begin(), paths.end(), [this](const QString& path) {
        const ResultRow* run = model_->find(path);
        return run && run->finished && !run->original;
    }));
    export_->setEnabled(row && !row->original && row->finished);
    // Qt's tables do not widen a column by themselves when a row comes or a cell's text grows, and what fits columns ends the last one's stretch.
    const auto fit = [header = table_->horizontalHeader()] {
        header->setStretchLastSection(false);
        header->resizeSections(QHeaderView::ResizeToContents);
        header->setStretchLastSection(true);
    };
    QMetaObject::invokeMethod(this, fit, Qt::QueuedConnection);
}

}  // namespace owq
