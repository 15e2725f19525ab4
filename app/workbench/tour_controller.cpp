// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/tour_controller.h"

#include <QMainWindow>
#include <utility>

#include "app/workbench/plot_area.h"
#include "app/workbench/window_layout.h"
#include "widgets/plot/plot.h"
#include "widgets/tour/tour.h"

namespace owq {

TourController::TourController(WindowLayout& layout, PlotArea& plots, QObject* parent) : QObject(parent), layout_(layout), plots_(plots) {}

void TourController::start() {
    if (tour_) return;
    std::vector<TourStop> stops;
    const auto panel = [&](const char* name, const QString& title, const QString& text) {
        stops.push_back({layout_.raise(name), title, text, [this, name] { layout_.raise(name); }});
    };
    QWidget* cut = &plots_;
    for (Plot* plot : plots_.group().plots())
        if (plot->kind() == PlotKind::Sensitivity) cut = plot;
    panel("layers", tr("Layers"),
          tr("Every block of the model with its linears, read from the headers alone. Click a heading to sort, type in the box to find. Select "
             "several layers to see their curves together."));
    stops.push_back(
        {&plots_,
         tr("Plots"),
         tr("What is known of the selected layers, one point for each input channel. All four plots share their columns: a click "
            "selects one everywhere, zooming one zooms the others. Column ranges are there at once; the rest comes with Analyze or a run."),
         {}});
    stops.push_back({cut, tr("The cut"),
                     tr("Columns beyond the dashed cut are weak: they stay in 16 bit. After an analysis the cut is a handle. Drag it, or press [ "
                        "and ], and see what more or fewer weak columns cost."),
                     {}});
    panel("budget", tr("Budget"),
          tr("Bits and weak columns of every layer, and what they come to: effective bits, file size, predicted error. What you set by hand is "
             "locked; Allocate spends the rest."));
    panel("run", tr("Quantize"),
          tr("Choose a calibration text and a method. Analyze measures without quantizing; Run quantizes, fills plots and tree as it goes, can be "
             "cancelled at any moment and resumed."));
    panel("results", tr("Results"),
          tr("One row for the original and for each run: bits, size, perplexity. Measure them on a text, compare two, export one. To see what "
             "happens inside a layer, take the lesson (Ctrl+L)."));
    tour_ = new Tour(std::move(stops), &layout_.window());
}

void TourController::startWith(const std::function<void()>& openModel) {
    waiting_ = true;
    openModel();
}

void TourController::modelOpened() {
    if (std::exchange(waiting_, false)) start();
}

}  // namespace owq
