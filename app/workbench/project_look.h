// SPDX-License-Identifier: GPL-3.0-or-later
// What a project keeps of how things were looked at, and of what was typed into the panels that compute nothing for a run.
#pragma once
#include <map>
#include <string>

#include "app/workbench/plot_area.h"
#include "core/base/json.h"
#include "widgets/layer_tree/layer_look.h"
#include "widgets/try_it/try_panel.h"
#include "widgets/tune/tune_panel.h"

namespace owq {

/// What a table is sorted by.
struct TableOrder {
    int column = -1;  ///< -1: as it comes
    bool descending = false;
    bool operator==(const TableOrder&) const = default;
};

struct ProjectLook {
    LayerLook layers;
    PlotsLook plots;
    std::map<std::string, TableOrder> tables;  ///< by panel
    TryPanel::Request tryIt;
    TunePanel::Request tune;
};

void putLook(Json& project, const ProjectLook& look);
/// Files of earlier versions have none of it. Throws Error naming `where` and what is wrong.
ProjectLook lookFrom(const Json& project, const std::string& where);

}  // namespace owq
