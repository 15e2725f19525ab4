// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QHash>
#include <QObject>
#include <QStringList>
#include <memory>

#include "app/workbench/translate.h"

namespace owq {

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
    QString title() const;
    /// Weights in the quantizable linears.
    double linearWeights() const;

    void putReport(const QString& source, LayerReport report);
    void putReports(const QString& source, const std::vector<LayerReport>& reports);
    void putRanges(const QString& layer, const ColumnRanges& ranges);
    void clearSource(const QString& source);
    bool hasReports(const QString& source) const {
        return reports_.contains(source) && !reports_[source].isEmpty();
    }

    /// The source that tree and plots show.
    void show(const QString& source);
    const QString& shown() const { return shown_; }

    std::vector<LayerRow> rows() const;
    LayerRow row(const QString& layer) const;
    LayerCurvesPtr curves(const QString& layer) const;  ///< never null for a layer of the model
    bool needsRanges(const QString& layer) const;

Q_SIGNALS:
    void modelChanged();
    void layersChanged(const QStringList& layers);  ///< numbers of these linears, of the source shown
    void shownChanged(const QString& source);

private:
    const LinearInfo* find(const QString& layer) const;
    ReportPtr report(const QString& layer) const;

    QString path_;
    std::shared_ptr<const InspectResult> model_;
    QHash<QString, const LinearInfo*> linears_;
    QHash<QString, QHash<QString, ReportPtr>> reports_;  ///< source to layer to report
    QHash<QString, ColumnRanges> ranges_;
    mutable QHash<QString, LayerCurvesPtr> curves_;  ///< of the source shown
    QString shown_ = kAnalysis;
};

}  // namespace owq
