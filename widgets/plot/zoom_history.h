// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <optional>
#include <vector>

namespace owq {

struct PlotView {
    double xLower = 0, xUpper = 1, yLower = 0, yUpper = 1;
    bool operator==(const PlotView&) const = default;
};

// The views a plot came through, for going back one step at a time.
class ZoomHistory {
public:
    void push(const PlotView& view) {
        if (views_.size() == kDepth) views_.erase(views_.begin());
        views_.push_back(view);
    }
    std::optional<PlotView> pop() {
        if (views_.empty()) return std::nullopt;
        const PlotView view = views_.back();
        views_.pop_back();
        return view;
    }
    void clear() { views_.clear(); }
    bool empty() const { return views_.empty(); }

private:
    static constexpr size_t kDepth = 200;
    std::vector<PlotView> views_;
};

}  // namespace owq
