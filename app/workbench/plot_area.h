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
class QSplitter;

namespace owq {

/// What is seen of a plot.
struct KeptView {
    PlotView range;
    int reference = -1;  ///< pinned; -1: none
};

/// How the four plots stand, by names that do not change.
struct PlotsLook {
    bool zoomTogether = true;
    QStringList asTable;                  ///< plots that show their numbers
    std::vector<std::vector<int>> sizes;  ///< of the splitters; empty: as they are
    bool operator==(const PlotsLook&) const = default;
};

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
    std::map<std::string, KeptView> views() const;
    /// Each when its plot has something to show of these layers; other layers end the waiting.
    void setViewsSoon(std::map<std::string, KeptView> views, const QStringList& layers);
    PlotsLook look() const;
    void setLook(const PlotsLook& look);

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
    std::map<std::string, KeptView> pending_;
    QSet<QString> pendingLayers_;
    std::vector<LayerCurvesPtr> curves_;
    PlotGroup* group_;
    QComboBox* mode_;
    QCheckBox* linked_ = nullptr;
    std::vector<QSplitter*> splitters_;
    QLabel* selection_;
    QRubberBand* dropping_;  ///< frames what takes the drop
};

}  // namespace owq
