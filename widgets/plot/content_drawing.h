// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QObject>
#include <vector>

#include "widgets/plot/draw_style.h"
#include "widgets/plot/plot_content.h"
#include "widgets/plot/zoom_history.h"

class QCPAbstractItem;
class QCPAxisRect;
class QCPGraph;
class QCPItemStraightLine;
class QCPItemText;
class QCPLayer;
class QCPLegend;
class QCustomPlot;

namespace owq {

// Draws a PlotContent into a QCustomPlot: curves, weak columns, cuts, outlier labels, legend, axes. Items of others in the same
// QCustomPlot (crosshair, selection) are left alone.
class ContentDrawing : public QObject {
public:
    explicit ContentDrawing(QCustomPlot* plot);

    // The content is kept by reference until the next show: it must outlive the drawing's use of it.
    void show(const PlotContent& content, const DrawStyle& style, const PlotView& view);
    // What show() leaves to the painter of a figure, because it takes long and any thread can do it: the points of curves and marks.
    void fill();
    // A block of the content shown has other weak columns and another cut than when it was shown: paints their layer alone, without a
    // full replot. False when that is not enough, because a legend entry or a cut comes or goes.
    bool moveWeak(size_t block);
    void setView(const PlotView& view);
    void wrapLegend(int width);  // breaks the legend into as many rows as this width asks for

    static double xLower(const PlotContent& content);
    static double xUpper(const PlotContent& content);

private:
    struct WeakMarks {
        QCPGraph* graph;
        size_t block, value;
    };
    struct Cut {
        size_t block;
        QCPItemStraightLine* line;
        QCPItemText* text;  // null beside other cuts
    };
    void addCurves(const PlotContent& content);
    void addWeakMarks(const PlotContent& content);
    void setWeakData(const WeakMarks& marks);
    void addClampMarks(const PlotContent& content);
    void setClampData();
    void addCuts(const PlotContent& content);
    void placeCut(const Cut& cut);
    void addLegendKeys(const PlotContent& content);
    void findOutliers(const PlotContent& content);
    void placeLabels();
    void thinOut();
    void chooseTicks();
    QCPGraph* addGraph(const QString& legend);

    QCustomPlot* plot_;
    QCPLegend* legend_;
    const PlotContent* content_ = nullptr;
    DrawStyle style_;
    std::vector<QCPAbstractItem*> items_;
    struct Outlier {
        double x, y;
        QCPItemText* label;
    };
    std::vector<Outlier> outliers_;  // largest first
    std::vector<WeakMarks> weakMarks_;
    std::vector<Cut> cuts_;
    bool weakNamed_ = false;  // the legend speaks of weak columns
    struct Curve {
        QCPGraph* graph;
        const std::vector<double>* values;
    };
    std::vector<Curve> curves_;
    bool thin_ = false;              // hundreds of curves: each is given as many points as can still be seen
    QCPGraph* clampMarks_ = nullptr;  // may be null
};

}  // namespace owq
