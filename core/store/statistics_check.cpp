// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "core/store/statistics_schema.h"

namespace owq {

void checkStatistics(const StatisticsEntry& entry, const std::string& where) {
    const auto fail = [&](const std::string& what) { throw Error("layer \"" + entry.name.substr(0, 200) + "\": " + what, where); };
    if (entry.name.empty() || entry.name == "." || entry.name.size() > 4096 || entry.name.find('/') != std::string::npos ||
        entry.name.find('\0') != std::string::npos)
        fail("this name cannot be stored");
    if (entry.rows < 1 || entry.columns < 1 || entry.columns > kMostColumns)
        fail("impossible size [" + std::to_string(entry.rows) + ", " + std::to_string(entry.columns) + "]");
    if (entry.bits < 0 || entry.bits > 32) fail("impossible bits " + std::to_string(entry.bits));
    if (!std::isfinite(entry.damping) || entry.damping < 0) fail("damping is no share");
    if (entry.statistics.tokens < 0) fail("tokens is negative");

    const size_t columns = size_t(entry.columns);
    for (const auto& [name, member] : kFloatColumns) {
        const size_t size = (entry.statistics.*member).size();
        const bool loss = member == &LinearStatistics::columnLoss;
        if (size != 0 && size != columns && !(loss && size + entry.weakColumns.size() == columns))
            fail(std::string(name) + " has " + std::to_string(size) + " values for " + std::to_string(columns) + " columns");
    }
    int64_t before = -1;
    for (int32_t column : entry.weakColumns) {
        if (column <= before || column >= entry.columns) fail("weak_columns are not ascending column numbers");
        before = column;
    }
    const std::vector<int32_t>& order = entry.statistics.order;
    if (order.empty()) return;
    std::vector<bool> seen(columns, false);
    if (order.size() != columns) fail("order has " + std::to_string(order.size()) + " values for " + std::to_string(columns) + " columns");
    for (int32_t column : order) {
        if (column < 0 || column >= entry.columns || seen[size_t(column)]) fail("order does not name every column once");
        seen[size_t(column)] = true;
    }
}

}  // namespace owq
