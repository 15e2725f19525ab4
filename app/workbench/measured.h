// SPDX-License-Identifier: GPL-3.0-or-later
// What the evaluating jobs found, as the table of results has it and as a person reads it.
#pragma once
#include <QStringList>

#include "core/jobs/evaluate.h"
#include "core/jobs/evaluate_tasks.h"
#include "widgets/results/result_row.h"

namespace owq {

Measurements measurementsOf(const EvaluateResult& result, const QString& text);
Measurements measurementsOf(const EvaluateTasksResult& result, const QString& questions);

/// KL, agreement, ratio of the perplexities, percentiles: a line each.
QStringList detailsOf(const DivergenceResult& divergence);
/// "62.50 ± 4.33 %, by length 60.00 ± 4.40 %".
QString shareText(const EvaluateTasksResult& result);

}  // namespace owq
