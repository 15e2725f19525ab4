// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>
#include <QStringList>
#include <optional>
#include <span>
#include <vector>

#include "widgets/plot/layer_curves.h"
#include "widgets/plot/palette.h"

namespace owq {

enum class PlotKind { HessianDiagonal, ColumnRange, CumulativeError, Sensitivity, ErrorSaved };

// Where a column stands on the x axis.
enum class XMode {
    Index,        // at its own number
    Rank,         // ascending by influence on the output error (sensitivity; Hessian diagonal where that is unknown), paper Fig. 2
    HessianOrder  // descending by Hessian diagonal, as OPTQ's act-order walks
};

enum class CurveShape { Line, Range };  // Range: a vertical stroke from zero to each value, with dots at its ends

// One linear's share of a plot. All vectors are in x order: entry i stands at x = i.
struct PlotBlock {
    QString name;       // full
    QString shortName;  // in the legend
    QString kind;       // q_proj, fc1, …: in the legend where there are too many for names
    bool measured = false, planned = false;
    SeriesLook look;
    std::vector<int> column;                  // input channel at each x; -1: none
    std::vector<char> weak;                   // 1: kept in full precision
    std::vector<std::vector<double>> values;  // per PlotContent::values; empty where this linear lacks it
    int weakCount = 0;
    std::optional<double> cut;       // position on the x axis (sorted) or the y axis (by index) that parts weak from quantized columns
    bool hasValue(size_t value) const { return value < values.size() && !values[value].empty(); }
};

struct PlotValue {
    QString id;      // column header in tables and CSV: hessian_diagonal
    QString legend;  // shown when a plot has several: "predicted"
    bool secondary = false;  // drawn dashed
};

struct ValueRange {
    double lower = 0, upper = 1;
};

// Everything a plot shows, without a pixel: the screen, the figure file, the table twin and the CSV are four views of it.
struct PlotContent {
    PlotKind kind = PlotKind::HessianDiagonal;
    XMode xMode = XMode::Index;
    QString title, xTitle, yTitle;
    CurveShape shape = CurveShape::Line;
    bool logY = false;
    double logFloor = 0;  // with logY: values at or below are drawn here and marked
    int clamped = 0;      // number of such values
    bool labelOutliers = false;
    std::vector<PlotValue> values;
    std::vector<PlotBlock> blocks;
    QString emptyText;  // what to do when there are no blocks
    int length = 0;     // positions on the x axis: columns of the widest linear
    ValueRange yAll;    // yRange of all of them

    bool empty() const { return blocks.empty(); }
    double drawn(double value) const;  // what is plotted for a value: NaN (a gap) when not finite, never below the floor
};

// The y range that shows all values between two x positions, with a margin.
ValueRange yRange(const PlotContent& content, double xLower, double xUpper);

// The last step of every builder: drops the blocks without values, sets length, yAll and, with logY, logFloor and clamped. The floor is the
// decade below the smallest positive value, at most twelve decades below the largest.
void finishContent(PlotContent& content);

// The columns of a linear in x order; plain 0, 1, 2, … where the linear lacks what the mode needs.
std::vector<int> columnOrder(const LayerCurves& curves, XMode mode);

// True where the vector is there and has one entry per column.
bool isKnown(const LayerCurves& curves, const std::vector<float>& vector);

// Why a plot of what the inputs tell has nothing to show.
QString whyNothing(std::span<const LayerCurvesPtr> curves, const QString& noneSelected, const QString& notAnalyzed);

// One block per linear with names, look, columns and weak marks filled in, still without values.
std::vector<PlotBlock> makeBlocks(std::span<const LayerCurvesPtr> all, XMode mode);

// Values of the model's column order, brought into the block's x order.
std::vector<double> inOrder(const std::vector<float>& values, const std::vector<int>& columns);

QString xAxisTitle(XMode mode);

// The cut between the k most sensitive columns and the rest: a position when sorted by rank, a sensitivity by index, else nothing. A cut
// that can be moved is there with no weak column, too: it stands at the edge.
std::optional<double> cutOf(const LayerCurves& curves, XMode mode);
std::optional<double> cutAt(const LayerCurves& curves, XMode mode, int weakColumns);

// Columns by falling sensitivity, ties by lower index: the first k are the weak ones. Empty where sensitivity is not known.
std::vector<int> weakRanking(const LayerCurves& curves);
// The first `count` of them, in any order.
std::vector<int> mostSensitive(const LayerCurves& curves, int count);

// Text of the table twin. Rows go block by block, x upwards. Columns: linear, column, position, the values, weak.
QStringList tableHeader(const PlotContent& content);
QString cellText(double value);  // shortest text that reads back as the same float; empty for a gap

enum class TableFormat { Csv, Tsv };
// Rows whose position lies in [xLower, xUpper]; header first, lines end in \n.
QString tableText(const PlotContent& content, TableFormat format, double xLower, double xUpper);
QString tableText(const PlotContent& content, TableFormat format);

}  // namespace owq
