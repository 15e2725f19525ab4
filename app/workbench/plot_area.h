// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QSet>
#include <QWidget>
#include <map>
#include <string>
#include <vector>

#include "widgets/figure/figure_renderer.h"
#include "widgets/plot/plot_group.h"

class QCheckBox;
class QComboBox;
class QLabel;
class QRubberBand;

namespace owq {

/// The four linked plots in the middle of the window, with what they have in common above them.
class PlotArea : public QWidget {
    Q_OBJECT
public:
    explicit PlotArea(QWidget* parent = nullptr);
    void setCurves(const std::vector<LayerCurvesPtr>& curves);
    const std::vector<LayerCurvesPtr>& curves() const { return curves_; }
    PlotGroup& group() { return *group_; }
    static FigureOptions figureOf(const Plot& plot);  ///< the plot as it is shown, with the usual sizes
    std::vector<FigureOptions> figures() const;       ///< of all plots

    // What a project keeps, by names that do not change.
    QString xModeName() const;
    void setXModeName(const QString& name);
    bool errorShare() const;
    void setErrorShare(bool share);
    std::map<std::string, PlotView> views() const;
    /// Each when its plot has something to show of these layers; other layers end the waiting.
    void setViewsSoon(std::map<std::string, PlotView> views, const QStringList& layers);

Q_SIGNALS:
    void columnSelected(const QString& layer, int column);
    void figureRequested(owq::Plot* plot);
    void failed(const QString& message);
    void layersDropped(const QStringList& layers);  ///< to be shown with those that are

protected:
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dragLeaveEvent(QDragLeaveEvent* event) override;
    void dropEvent(QDropEvent* event) override;

private:
    QWidget* makeBar();
    void applyViews();
    void setDropping(bool dropping);
    std::map<std::string, PlotView> pending_;
    QSet<QString> pendingLayers_;
    std::vector<LayerCurvesPtr> curves_;
    PlotGroup* group_;
    QComboBox* mode_;
    QCheckBox* linked_ = nullptr;
    QLabel* selection_;
    QRubberBand* dropping_;  ///< frames what takes the drop
};

}  // namespace owq
