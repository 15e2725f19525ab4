// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/plot_area.h"

#include <QApplication>
#include <QBoxLayout>
#include <QCheckBox>
#include <QComboBox>
#include <QDragEnterEvent>
#include <QLabel>
#include <QMimeData>
#include <QPointer>
#include <QRubberBand>
#include <QSignalBlocker>
#include <QSplitter>
#include <algorithm>

#include "app/workbench/help_controller.h"
#include "widgets/column_range/column_range_plot.h"
#include "widgets/common/layer_mime.h"
#include "widgets/cumulative_error/cumulative_error_plot.h"
#include "widgets/hessian/hessian_plot.h"
#include "widgets/sensitivity/sensitivity_plot.h"

namespace owq {
namespace {
const char* const kKinds[] = {"hessian", "column-range", "cumulative-error", "sensitivity"};  // of PlotKind
const char* const kTopics[] = {"plots#hessian-diagonal", "plots#column-range", "plots#cumulative-error", "plots#sensitivity"};

QSet<QString> namesOf(const std::vector<LayerCurvesPtr>& curves) {
    QSet<QString> names;
    for (const LayerCurvesPtr& c : curves) names.insert(c->name);
    return names;
}
}  // namespace

PlotArea::PlotArea(QWidget* parent)
    : QWidget(parent), group_(new PlotGroup(this)), mode_(new QComboBox), selection_(new QLabel), dropping_(new QRubberBand(QRubberBand::Rectangle, this)) {
    auto* rows = new QSplitter(Qt::Vertical);
    auto* upper = new QSplitter;
    auto* lower = new QSplitter;
    upper->addWidget(new HessianPlot);
    upper->addWidget(new ColumnRangePlot);
    lower->addWidget(new CumulativeErrorPlot);
    lower->addWidget(new SensitivityPlot);
    for (QSplitter* row : {upper, lower}) {
        rows->addWidget(row);
        row->setSizes({1000, 1000});
    }
    rows->setSizes({1000, 1000});
    splitters_ = {rows, upper, lower};
    for (QSplitter* splitter : splitters_) splitter->setChildrenCollapsible(false);
    for (Plot* plot : rows->findChildren<Plot*>()) {
        group_->add(plot);
        HelpController::setTopic(plot, kTopics[int(plot->kind())]);
        connect(plot, &Plot::contentChanged, this, &PlotArea::applyViews);
    }
    connect(group_, &PlotGroup::columnSelected, this, &PlotArea::columnSelected);
    connect(group_, &PlotGroup::figureRequested, this, &PlotArea::figureRequested);
    connect(group_, &PlotGroup::failed, this, &PlotArea::failed);
    connect(group_, &PlotGroup::xModeChanged, this,
            [this](XMode mode) { mode_->setCurrentIndex(mode_->findData(int(mode))); });

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(6, 0, 6, 4);
    layout->setSpacing(4);
    layout->addWidget(makeBar());
    layout->addWidget(rows, 1);
    setAcceptDrops(true);
    setCurves({});
}

// Files are not for the plots: what is ignored here goes on to the window.
void PlotArea::dragEnterEvent(QDragEnterEvent* event) {
    if (layersOf(*event->mimeData()).isEmpty()) return event->ignore();
    event->acceptProposedAction();
    setDropping(true);
}

void PlotArea::dragLeaveEvent(QDragLeaveEvent*) { setDropping(false); }

void PlotArea::dropEvent(QDropEvent* event) {
    setDropping(false);
    const QStringList layers = layersOf(*event->mimeData());
    if (layers.isEmpty()) return event->ignore();
    event->acceptProposedAction();
    Q_EMIT layersDropped(layers);
}

void PlotArea::setDropping(bool dropping) {
    dropping_->setGeometry(rect());
    dropping_->setVisible(dropping);
    if (dropping) dropping_->raise();
}

QWidget* PlotArea::makeBar() {
    mode_->addItem(tr("Column index"), int(XMode::Index));
    mode_->addItem(tr("Rank by influence"), int(XMode::Rank));
    mode_->addItem(tr("Hessian order"), int(XMode::HessianOrder));
    mode_->setAccessibleName(tr("Order of columns"));
    mode_->setToolTip(tr("In what order every plot shows the columns of a layer"));
    connect(mode_, &QComboBox::activated, this,
            [this] { group_->setXMode(XMode(mode_->currentData().toInt())); });
    auto* linked = linked_ = new QCheckBox(tr("Zoom together"));
    linked->setChecked(true);
    linked->setToolTip(
        tr("Zooming one plot along x zooms the others; Backspace goes one step back, Home shows all"));
    connect(linked, &QCheckBox::toggled, group_, &PlotGroup::setZoomLinked);
    selection_->setForegroundRole(QPalette::PlaceholderText);
    selection_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    auto* label = new QLabel(tr("Columns by"));
    label->setForegroundRole(QPalette::PlaceholderText);
    auto* bar = new QWidget;
    auto* layout = new QHBoxLayout(bar);
    layout->setContentsMargins(6, 0, 2, 0);
    layout->setSpacing(10);
    layout->addWidget(selection_, 1);
    layout->addWidget(label);
    layout->addWidget(mode_);
    layout->addWidget(linked);
    return bar;
}

void PlotArea::setCurves(const std::vector<LayerCurvesPtr>& curves) {
    curves_ = curves;
    if (namesOf(curves) != pendingLayers_) pending_.clear();
    group_->setCurves(curves);
    selection_->setText(curves.empty()       ? tr("Select layers on the left to see their curves.")
                        : curves.size() == 1 ? curves.front()->name
                                             : tr("%n curves", nullptr, int(curves.size())));
}

FigureOptions PlotArea::figureOf(const Plot& plot) {
    FigureOptions options;
    options.kind = plot.kind();
    options.xMode = plot.xMode();
    if (const auto* error = qobject_cast<const CumulativeErrorPlot*>(&plot)) options.errorScale = error->scale();
    return options;
}

std::vector<FigureOptions> PlotArea::figures() const {
    std::vector<FigureOptions> figures;
    for (const Plot* plot : group_->plots()) figures.push_back(figureOf(*plot));
    std::sort(figures.begin(), figures.end(), [](const FigureOptions& a, const FigureOptions& b) { return a.kind < b.kind; });
    return figures;
}

QString PlotArea::xModeName() const { return owq::xModeName(group_->xMode()); }

void PlotArea::setXModeName(const QString& name) {
    if (const auto mode = xMode(name)) group_->setXMode(*mode);
}

bool PlotArea::errorShare() const {
    for (const Plot* plot : group_->plots())
        if (const auto* error = qobject_cast<const CumulativeErrorPlot*>(plot)) return error->scale() == ErrorScale::Share;
    return false;
}

void PlotArea::setErrorShare(bool share) {
    for (Plot* plot : group_->plots())
        if (auto* error = qobject_cast<CumulativeErrorPlot*>(plot)) error->setScale(share ? ErrorScale::Share : ErrorScale::Absolute);
}

std::map<std::string, KeptView> PlotArea::views() const {
    std::map<std::string, KeptView> views;
    for (const Plot* plot : group_->plots())
        if (!plot->content().empty()) views[kKinds[int(plot->kind())]] = {plot->view(), plot->reference()};
    return views;
}

PlotsLook PlotArea::look() const {
    PlotsLook look;
    look.zoomTogether = linked_->isChecked();
    for (const Plot* plot : group_->plots())
        if (plot->isTableShown()) look.asTable << QLatin1String(kKinds[int(plot->kind())]);
    for (const QSplitter* splitter : splitters_) {
        const QList<int> sizes = splitter->sizes();
        look.sizes.emplace_back(sizes.begin(), sizes.end());
    }
    return look;
}

void PlotArea::setLook(const PlotsLook& look) {
    linked_->setChecked(look.zoomTogether);
    const QPointer<QWidget> focus = QApplication::focusWidget();
    for (Plot* plot : group_->plots())
        if (const bool table = look.asTable.contains(QLatin1String(kKinds[int(plot->kind())])); table != plot->isTableShown()) plot->setTableShown(table);
    if (focus) focus->setFocus();  // a table takes it
    for (size_t i = 0; i < std::min(splitters_.size(), look.sizes.size()); ++i) splitters_[i]->setSizes({look.sizes[i].begin(), look.sizes[i].end()});
}

void PlotArea::setViewsSoon(std::map<std::string, KeptView> views, const QStringList& layers) {
    pending_ = std::move(views);
    pendingLayers_ = {layers.begin(), layers.end()};
    applyViews();
}

void PlotArea::applyViews() {
    if (pending_.empty()) return;
    for (Plot* plot : group_->plots()) {
        const auto view = pending_.find(kKinds[int(plot->kind())]);
        if (view == pending_.end() || plot->content().empty() || plot->isBuilding() || namesOf(plot->curves()) != pendingLayers_) continue;
        group_->setZoomLinked(false);  // each has its own
        plot->zoomTo(view->second.range);
        group_->setZoomLinked(linked_->isChecked());
        {
            const QSignalBlocker own(plot);  // likewise
            plot->setReference(view->second.reference);
        }
        pending_.erase(view);
    }
}

}  // namespace owq
