// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <utility>

#include "core/base/error.h"
#include "core/quantize/quantize.h"

namespace owq {
namespace {

constexpr std::array kMethods{std::pair{Method::rtn, "rtn"}, std::pair{Method::optq, "optq"}, std::pair{Method::owq, "owq"}};
constexpr std::array kMetrics{
    std::pair{WeakMetric::sensitivity, "sensitivity"}, std::pair{WeakMetric::hessian, "hessian"},
    std::pair{WeakMetric::weightError, "weight-error"}, std::pair{WeakMetric::weightMagnitude, "weight-magnitude"}};

template <class Table, class Value>
std::string nameOf(const Table& table, Value value) {
    for (const auto& [known, name] : table)
        if (known == value) return name;
    throw Error("a value without a name");
}

template <class Table>
auto valueOf(const Table& table, const std::string& name, const std::string& what) {
    std::string all;
    for (const auto& [value, known] : table) {
        if (name == known) return value;
        all += (all.empty() ? "" : ", ") + std::string(known);
    }
    throw Error("there is no " + what + " \"" + name + "\"", {}, "Choose one of " + all);
}

}  // namespace

std::string methodName(Method method) { return nameOf(kMethods, method); }
Method methodFromName(const std::string& name) { return valueOf(kMethods, name, "method"); }
std::string metricName(WeakMetric metric) { return nameOf(kMetrics, metric); }
WeakMetric metricFromName(const std::string& name) { return valueOf(kMetrics, name, "weak column metric"); }

}  // namespace owq
