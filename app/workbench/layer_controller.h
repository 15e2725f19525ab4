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
    using ShowWeak = std::function<void(const QString& layer, int weakColumns)>;
    LayerController(Workspace& workspace, Opener& opener, LayerTree& tree, ShowCurves showCurves, ShowWeak showWeak,
                    QObject* parent = nullptr);

private:
    void refreshTree();
    void refreshPlots();
    Workspace& workspace_;
    Opener& opener_;
    LayerTree& tree_;
    void touch(const QStringList& layers);
    ShowCurves showCurves_;
    ShowWeak showWeak_;
    QSet<QString> dirty_;
    QTimer* soon_;     ///< many layers that arrive together are painted once
    QTimer* settled_;  ///< a cut that moves changes the marks at once, the curves when it stands
};

}  // namespace owq
