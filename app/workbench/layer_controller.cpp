// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/layer_controller.h"

#include <QTimer>

namespace owq {
namespace {
constexpr int kPaintDelay = 30;      // ms
constexpr int kSettleDelay = 250;    // ms
constexpr int kRangesOnDemand = 64;  // a selection larger than this does not read so many weights unasked
}  // namespace

LayerController::LayerController(Workspace& workspace, Opener& opener, LayerTree& tree, ShowCurves showCurves,
                                 ShowWeak showWeak, QObject* parent)
    : QObject(parent),
      workspace_(workspace),
      opener_(opener),
      tree_(tree),
      showCurves_(std::move(showCurves)),
      showWeak_(std::move(showWeak)),
      soon_(new QTimer(this)),
      settled_(new QTimer(this)) {
    soon_->setSingleShot(true);
    soon_->setInterval(kPaintDelay);
    connect(soon_, &QTimer::timeout, this, [this] {
        std::vector<LayerRow> rows;
        for (const QString& layer : std::exchange(dirty_, {})) rows.push_back(workspace_.row(layer));
        tree_.model().update(rows);
    });
    settled_->setSingleShot(true);
    connect(settled_, &QTimer::timeout, this, &LayerController::refreshPlots);
    connect(&workspace_, &Workspace::modelChanged, this, [this] {
        showCurves_({});  // another model's layers may have the same names: its zoom is not theirs
        tree_.setComparing(workspace_.isComparing());
        refreshTree();
        const std::vector<LayerRow> rows = workspace_.rows();
        if (!rows.empty()) tree_.select({rows.front().name});
    });
    connect(&workspace_, &Workspace::shownChanged, this, [this] {
        tree_.setComparing(workspace_.isComparing());
        tree_.model().update(workspace_.rows());
        refreshPlots();
    });
    connect(&workspace_, &Workspace::layersChanged, this, [this](const QStringList& layers) {
        touch(layers);
        settled_->start(kPaintDelay);
    });
    connect(&workspace_, &Workspace::plannedChanged, this, [this](const QStringList& layers) {
        touch(layers);
        const QStringList selected = tree_.selectedLayers();
        for (const QString& layer : layers)
            if (selected.contains(layer)) showWeak_(layer, workspace_.planned(layer).weakColumns);
        settled_->start(kSettleDelay);
    });
    connect(&tree_, &LayerTree::selectionChanged, this, [this](const QStringList& layers) {
        if (layers.size() <= kRangesOnDemand)
            for (const QString& layer : layers) opener_.loadRanges(layer);
        settled_->start(kPaintDelay);
    });
}

void LayerController::touch(const QStringList& layers) {
    for (const QString& layer : layers) dirty_.insert(layer);
    if (!soon_->isActive()) soon_->start();
}

void LayerController::refreshTree() {
    dirty_.clear();
    tree_.setRows(workspace_.rows());
}

void LayerController::refreshPlots() {
    std::vector<LayerCurvesPtr> curves;
    for (const QString& layer : tree_.selectedLayers())
        for (LayerCurvesPtr& c : workspace_.curvesShown(layer)) curves.push_back(std::move(c));
    showCurves_(curves);
}

}  // namespace owq
