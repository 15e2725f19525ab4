// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QHash>
#include <QObject>
#include <QSet>
#include <QStringList>
#include <functional>
#include <memory>
#include <optional>

#include "app/workbench/translate.h"

namespace owq {

/// What the budget gives a linear.
struct PlannedLinear {
    int bits = 3;  ///< 16: kept
    int weakColumns = 0;
    bool operator==(const PlannedLinear&) const = default;
};

/// Whether two paths mean the same checkpoint: links resolved, a file standing for its folder.
bool sameModel(std::filesystem::path a, std::filesystem::path b);

/// What is open: the model, and what is known of its linears from an analysis, from runs, and from the
/// weights alone. One source is shown at a time. Holds results, starts nothing.
class Workspace : public QObject {
    Q_OBJECT
public:
    using ReportPtr = std::shared_ptr<const LayerReport>;
    static inline const QString kAnalysis =
        QStringLiteral("analysis");  ///< source of numbers of the unquantized model

    using QObject::QObject;

    void openModel(const QString& path, std::shared_ptr<const InspectResult> model);
    bool isOpen() const { return bool(model_); }
    const QString& path() const { return path_; }
    const InspectResult& model() const { return *model_; }
    std::shared_ptr<const InspectResult> modelPtr() const { return model_; }
    QString title() const;
    /// Weights in the quantizable linears.
    double linearWeights() const;

    void putReport(const QString& source, LayerReport report);
    void putReports(const QString& source, const std::vector<ReportPtr>& reports);
    /// For the thread that read them: handing over statistics of hundreds of linears must not copy them.
    static std::vector<ReportPtr> shared(std::vector<LayerReport> reports);
    void putRanges(const QString& layer, const ColumnRanges& ranges);
    void clearSource(const QString& source);
    bool hasReports(const QString& source) const {
        return reports_.contains(source) && !reports_[source].isEmpty();
    }

    ReportPtr reportOf(const QString& layer) const { return report(layer); }  ///< of the source shown; may be null

    /// The budget, shown with the numbers of the unquantized model. A run shows what it kept, but for the cuts of linears that are changed
    /// while it is looked at.
    void setPlan(QHash<QString, PlannedLinear> plan);
    void setPlanned(const QStringList& layers, const QHash<QString, PlannedLinear>& plan);
    PlannedLinear planned(const QString& layer) const { return plan_.value(layer); }

    /// The source that tree and plots show.
    void show(const QString& source);
    const QString& shown() const { return shown_; }
    /// Shows A and beside it, in the same axes, B; show() ends it.
    void compare(const QString& a, const QString& b);
    bool isComparing() const { return !other_.isEmpty(); }
    const QString& comparedWith() const { return other_; }

    std::vector<LayerRow> rows() const;
    LayerRow row(const QString& layer) const;
    /// Never null for a layer of the model. What the run shown has not, or not yet, are the unquantized model's, as they say themselves.
    LayerCurvesPtr curves(const QString& layer) const;
    std::vector<LayerCurvesPtr> curvesShown(const QString& layer) const;  ///< one, or one of each run compared
    /// Of every linear, as curvesShown, but of a run only what it has. What is returned makes them on any thread, from what is known now.
    std::function<std::vector<LayerCurvesPtr>()> allCurves() const;
    bool needsRanges(const QString& layer) const;

Q_SIGNALS:
    void modelChanged();
    void layersChanged(const QStringList& layers);  ///< numbers of these linears, of the source shown
    void reportsChanged(const QStringList& layers);  ///< statistics of the source shown
    void plannedChanged(const QStringList& layers);  ///< their budget, nothing else
    void shownChanged(const QString& source);

private:
    /// All that the curves of a linear are made of.
    struct Known {
        LinearInfo linear;
        ReportPtr report;
        std::shared_ptr<const ColumnRanges> ranges;
        std::optional<PlannedLinear> plan;
        bool showsPlan = false;
    };
    Known known(const LinearInfo& linear, bool orAnalysis) const;
    static LayerCurvesPtr makeCurves(const Known& known);
    static LayerCurvesPtr comparedCurves(const LayerReport& report, const QString& run);
    std::vector<std::pair<ReportPtr, QString>> compared(const QString& layer) const;  ///< with A or B; of the runs that have it
    const LinearInfo* find(const QString& layer) const;
    ReportPtr report(const QString& layer) const;
    bool showsPlan(const QString& layer) const { return plan_.contains(layer) && (shown_ == kAnalysis || replanned_.contains(layer)); }

    QString path_;
    std::shared_ptr<const InspectResult> model_;
    QHash<QString, const LinearInfo*> linears_;
    QHash<QString, QHash<QString, ReportPtr>> reports_;  ///< source to layer to report
    QHash<QString, std::shared_ptr<const ColumnRanges>> ranges_;
    mutable QHash<QString, LayerCurvesPtr> curves_;  ///< of the source shown
    QHash<QString, PlannedLinear> plan_;
    QSet<QString> replanned_;  ///< while the run shown is looked at
    QString other_;            ///< B of a comparison
    QString shown_ = kAnalysis;
};

}  // namespace owq
