// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>
#include <vector>

#include "widgets/figure/figure_renderer.h"
#include "widgets/lesson/lesson_pages.h"

class QComboBox;
class QLabel;
class QListWidget;
class QProgressBar;
class QPushButton;
class QStackedWidget;
class QTextBrowser;

namespace owq {

class CellPane;
class HessianPlot;

// The lesson: pages to step through with Back and Next (arrow keys, Alt+Left and Alt+Right from anywhere), pictures whose every number can
// be looked at, and the equations beside them with the numbers of what is looked at.
class LessonView : public QWidget {
    Q_OBJECT
public:
    explicit LessonView(QWidget* parent = nullptr);

    void setLesson(LessonDataPtr data, int step = 0);
    bool hasLesson() const { return data_ != nullptr; }
    // Before there is a lesson: what is being done (fraction 0…1, below 0 while unknown), or why there is none.
    void showBusy(const QString& what, double fraction);
    void showFailure(const QString& happened, const QString& remedy);

    int step() const { return step_; }
    int steps() const { return int(places_.size()); }
    void goTo(int step);
    const LessonScene& scene() const { return scene_; }
    LessonPlace place() const { return places_[size_t(step_)]; }
    int row() const { return focus_.row; }
    CellPane& mainPane() { return *main_; }
    CellPane& sidePane() { return *side_; }

Q_SIGNALS:
    void stepChanged(int step);
    void figureRequested(const owq::FigureSource& source);
    void cancelWanted();
    void againWanted();

protected:
    void keyPressEvent(QKeyEvent* event) override;
    void changeEvent(QEvent* event) override;
    void closeEvent(QCloseEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QWidget* makeWaiting();
    QWidget* makeLesson();
    void makeActions();
    void connectPictures();
    void enter();    // a step was chosen
    void refresh();  // something else in it is looked at
    void setRow(int row);
    void requestFigure();

    LessonDataPtr data_;
    std::vector<LessonPlace> places_;
    LessonScene scene_;
    LessonFocus focus_;
    int step_ = 0;
    bool busy_ = false;

    QStackedWidget* pages_;
    QLabel *wait_, *remedy_;
    QProgressBar* progress_;
    QPushButton *cancel_, *again_;
    QListWidget* contents_;
    QLabel *heading_, *about_, *count_, *rowLabel_;
    QComboBox* rows_;
    HessianPlot* plot_;
    CellPane *main_, *side_;
    QTextBrowser* text_;
    QPushButton *back_, *next_, *export_;
};

}  // namespace owq
