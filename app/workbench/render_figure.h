// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "app/workbench/arguments.h"
#include "app/workbench/job_functions.h"

namespace owq {

/// Writes the figure that `arguments` ask for; messages go to stderr. Needs a QApplication. Returns the exit
/// code: 0, 1, 2.
int renderFigureCommand(const Arguments& arguments, const JobFunctions& jobs);

}  // namespace owq
