// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>

namespace owq {

/// The folder of the bundled sample models and texts: beside the installed program
/// (../share/owq-workbench/sample) or in the source tree the program was built from (resources/sample above
/// it). Empty when neither is there.
QString sampleFolder();
/// The folder of the help pages, found in the same way.
QString helpFolder();
/// The sample model that the start page opens, or empty.
QString sampleModel();

}  // namespace owq
