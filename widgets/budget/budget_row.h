// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>
#include <limits>

namespace owq {

/// One linear's share of the budget. Numbers not known are NaN.
struct BudgetRow {
    static constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
    static constexpr int kKept = 16;  ///< bits of a linear that is kept as it is

    QString name, kind;
    int block = 0;
    int bits = 3;  ///< 2, 3, 4, 8 or kKept
    int weakColumns = 0, mostWeakColumns = 0;
    bool locked = false;
    double effectiveBits = kUnknown;   ///< stored bits per weight
    double predictedError = kUnknown;  ///< ½ Σ λ_j‖ΔW_:,j‖² over the columns that are not weak
};

/// What the whole plan amounts to.
struct BudgetTotals {
    double paperBits = BudgetRow::kUnknown, storedBits = BudgetRow::kUnknown;
    double fileBytes = BudgetRow::kUnknown, originalBytes = BudgetRow::kUnknown;
    double planBytes = BudgetRow::kUnknown;  ///< file with the plan of the settings alone: what there is to spend
    double predictedError = BudgetRow::kUnknown;
};

/// What a run with the plan would take of this machine.
struct RunForecast {
    double memoryBytes = BudgetRow::kUnknown;
    QString memoryWhen;  ///< the phase that takes the most
    double seconds = BudgetRow::kUnknown;
    QString problem;     ///< why it would be refused; empty: it would not
};

/// What decides the plan before anything is edited.
struct BudgetSettings {
    QString method = QStringLiteral("owq");
    int bits = 3;
    double targetBits = 3.01;
    int groupSize = 0;

    bool operator==(const BudgetSettings&) const = default;
};

}  // namespace owq
