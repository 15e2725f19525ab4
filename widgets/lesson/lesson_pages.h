// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QString>
#include <QStringList>
#include <vector>

#include "widgets/lesson/cell_grid.h"
#include "widgets/lesson/lesson_data.h"

namespace owq {

enum class LessonPage { linear, grid, ranking, loop, kept, result };

// One step of the lesson: a page and, in the two loops, a column's turn.
struct LessonPlace {
    LessonPage page = LessonPage::linear;
    int turn = 0;
    bool operator==(const LessonPlace&) const = default;
};

// What a person looks at within a step.
struct LessonFocus {
    int row = 0;            // of the piece
    int column = -1;        // of the grid shown, -1: none
    int step = 0, zero = 0; // candidate of the range search; step 0: the chosen one
};

// A picture or two, and the words beside them (HTML with the classes of lessonStyle).
struct LessonScene {
    QString heading;
    CellGrid main, side;  // without cells: not shown
    bool showsPlot = false;
    QString html;
};

std::vector<LessonPlace> lessonPlaces(const LessonData& data);
QString lessonPageTitle(LessonPage page, const LessonData& data);
LessonScene lessonScene(const LessonData& data, LessonPlace place, const LessonFocus& focus);

// The candidate that the focus speaks of: {step, zero}.
std::pair<int, int> candidateOf(const LessonGrid& grid, const LessonFocus& focus);
// Code and value of a weight on a candidate's grid.
struct LessonCode {
    int code;
    double value;
};
LessonCode codeOn(const LessonGrid& grid, int step, int zero, double weight);

inline const LessonLoop& loopOf(const LessonData& data, LessonPage page) { return page == LessonPage::kept ? data.kept : data.all; }

// The words alone.
QString lessonText(const LessonData& data, LessonPlace place, const LessonFocus& focus);

}  // namespace owq
