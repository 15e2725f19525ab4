// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QObject>
#include <QStringList>
#include <functional>
#include <vector>

#include "app/workbench/opener.h"
#include "app/workbench/workspace.h"
#include "widgets/layer_tree/layer_tree.h"

class QTimer;

namespace owq {

/// Keeps tree and plots at what the workspace knows, and the plots at the layers selected in the tree.
class LayerController : public QObject {
    Q_OBJECT
public:
    using ShowCurves = std::function<void(const std::vector<LayerCurvesPtr>&)>;
    LayerController(Workspace& workspace, Opener& opener, LayerTree& tree, ShowCurves showCurves,
                    QObject* parent = nullptr);

private:
    void refreshTree();
    void refreshPlots();
    Workspace& workspace_;
    Opener& opener_;
    LayerTree& tree_;
    ShowCurves showCurves_;
    QSet<QString> dirty_;
    QTimer* soon_;  ///< many layers that arrive together are painted once
};

}  // namespace owq
