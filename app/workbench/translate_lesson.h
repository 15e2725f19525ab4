// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include "core/jobs/lesson.h"
#include "widgets/lesson/lesson_data.h"

namespace owq {

/// model, text: as they are called.
LessonDataPtr lessonData(const LessonResult& result, const QString& model, const QString& text);

}  // namespace owq
