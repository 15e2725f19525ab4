// SPDX-License-Identifier: Apache-2.0
// What the window costs its GUI thread. Plots: 224 linears with 11,008 columns overlaid, shown, selected anew, their cut dragged. Window: every event of
// the main path with made-up jobs timed, those above 50 ms counted. Opening: from asking for a checkpoint to its painted tree.
// bench_plots [linears [columns [checkpoint]]]; offscreen unless QT_QPA_PLATFORM says otherwise.
#include <QDir>
#include <QElapsedTimer>
#include <QLineEdit>
#include <QMouseEvent>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <random>

#include "app/workbench/job_functions.h"
#include "app/workbench/main_window.h"
#include "app/workbench/plot_area.h"
#include "tests/app/workbench/fake_jobs.h"
#include "tests/app/workbench/timed_application.h"
#include "widgets/layer_tree/layer_tree.h"
#include "widgets/plot/plot_canvas.h"
#include "widgets/results/results_view.h"
#include "widgets/theme/theme.h"

namespace {

using namespace owq;

struct Figures {
    std::vector<double> ms;
    void add(const QElapsedTimer& clock) { ms.push_back(double(clock.nsecsElapsed()) / 1e6); }
    void print(const char* what) {
        std::sort(ms.begin(), ms.end());
        double sum = 0;
        for (const double v : ms) sum += v;
        std::printf("%-44s median %7.2f ms  longest %7.2f ms  (%zu)\n", what, ms[ms.size() / 2], ms.back(), ms.size());
    }
};

std::vector<LayerCurvesPtr> manyCurves(int linears, int columns) {
    std::mt19937 random(7);
    std::lognormal_distribution<float> spread(0, 1);
    std::vector<LayerCurvesPtr> all;
    for (int i = 0; i < linears; ++i) {
        auto c = std::make_shared<LayerCurves>();
        c->name = QStringLiteral("model.layers.%1.mlp.down_proj").arg(i);
        c->kind = QStringLiteral("down");
        c->rows = 4096;
        c->columns = columns;
        c->planned = true;
        for (int j = 0; j < columns; ++j) {
            const float hessian = spread(random) * (j % 500 == 37 ? 300.f : 1.f), error = 0.01f * spread(random);
            c->hessianDiagonal.push_back(hessian);
            c->columnError.push_back(error);
            c->sensitivity.push_back(hessian * error);
            c->columnMin.push_back(-0.1f * spread(random));
            c->columnMax.push_back(0.1f * spread(random));
        }
        std::vector<int> ranking = weakRanking(*c);
        ranking.resize(20);
        c->weakColumns = ranking;
        all.push_back(c);
    }
    return all;
}

const char* nameOf(const Plot& plot) {
    switch (plot.kind()) {
        case PlotKind::HessianDiagonal: return "Hessian diagonal";
        case PlotKind::ColumnRange: return "column range";
        case PlotKind::CumulativeError: return "cumulative error";
        case PlotKind::Sensitivity: return "sensitivity";
        case PlotKind::ErrorSaved: break;  // a figure only
    }
    return "";
}

QCustomPlot& canvasOf(Plot& plot) { return *qobject_cast<QCustomPlot*>(plot.canvas()); }

void timePlots(int linears, int columns) {
    std::printf("plots: %d linears of %d columns, 1000 x 700 pixels for all four\n", linears, columns);
    const std::vector<LayerCurvesPtr> curves = manyCurves(linears, columns);
    PlotArea area;
    area.resize(1000, 700);
    area.show();
    QTest::qWait(100);
    QElapsedTimer clock;
    const auto built = [&] {
        const auto& plots = area.group().plots();
        (void)QTest::qWaitFor([&] { return std::none_of(plots.begin(), plots.end(), [](const Plot* plot) { return plot->isBuilding(); }); }, 60'000);
    };
    Figures hand, firstFrame, laidOut;
    for (int i = 0; i < 5; ++i) {
        clock.start();
        area.setCurves(curves);
        hand.add(clock);
        built();
        laidOut.add(clock);
        clock.start();
        QTest::qWait(0);
        for (Plot* plot : area.group().plots()) canvasOf(*plot).replot(QCustomPlot::rpImmediateRefresh);
        firstFrame.add(clock);
    }
    hand.print("curves handed to all plots");
    laidOut.print("until they are laid out");
    firstFrame.print("first frame of all plots");
    for (Plot* plot : area.group().plots()) {
        Figures frame;
        for (int i = 0; i < 10; ++i) {
            clock.start();
            canvasOf(*plot).replot(QCustomPlot::rpImmediateRefresh);
            frame.add(clock);
        }
        frame.print(qPrintable(QStringLiteral("frame, %1").arg(QLatin1String(nameOf(*plot)))));
        Figures zoom;
        for (int i = 0; i < 10; ++i) {
            clock.start();
            plot->zoomTo({columns * 0.1 + i, columns * 0.2 + i, plot->view().yLower, plot->view().yUpper});
            canvasOf(*plot).replot(QCustomPlot::rpImmediateRefresh);
            zoom.add(clock);
        }
        zoom.print(qPrintable(QStringLiteral("zoom to a tenth and frame, %1").arg(QLatin1String(nameOf(*plot)))));
        plot->zoomHome();
    }
    Figures select;
    for (int i = 0; i < 10; ++i) {
        clock.start();
        area.setCurves({curves[size_t(i) % curves.size()]});
        for (Plot* plot : area.group().plots()) canvasOf(*plot).replot(QCustomPlot::rpImmediateRefresh);
        select.add(clock);
    }
    select.print("selection of another single linear");

    // The cut of one curve among all, by rank, where it is a vertical line.
    area.group().setXMode(XMode::Rank);
    area.setCurves(curves);
    area.group().setCutMovable(true);
    built();
    QTest::qWait(200);
    const auto& plots = area.group().plots();
    Plot* sensitivity = *std::find_if(plots.begin(), plots.end(), [](const Plot* plot) { return plot->kind() == PlotKind::Sensitivity; });
    int moved = 0;
    QObject::connect(&area.group(), &PlotGroup::cutMoved, &area, [&](const QString& layer, int weak, bool) {
        ++moved;
        area.group().showWeak(layer, weak);
    });
    const PlotBlock& block = sensitivity->content().blocks.front();
    const double y = std::sqrt(std::max(sensitivity->view().yLower, 1e-30) * sensitivity->view().yUpper);
    QWidget* canvas = sensitivity->canvas();
    const auto at = [&](double x) { return sensitivity->pixelOf(x, y).toPoint(); };
    QMouseEvent over(QEvent::MouseMove, at(*block.cut), canvas->mapToGlobal(at(*block.cut)), Qt::NoButton, Qt::NoButton, Qt::NoModifier);
    QApplication::sendEvent(canvas, &over);
    QTest::mousePress(canvas, Qt::LeftButton, {}, at(*block.cut));
    Figures drag;
    QElapsedTimer whole;
    whole.start();
    for (int i = 1; i <= 60; ++i) {
        clock.start();
        const QPoint to = at(columns * (0.99 - 0.01 * i));
        QMouseEvent move(QEvent::MouseMove, to, canvas->mapToGlobal(to), Qt::NoButton, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(canvas, &move);
        QCoreApplication::processEvents();
        drag.add(clock);
    }
    const double seconds = double(whole.elapsed()) / 1000;
    QTest::mouseRelease(canvas, Qt::LeftButton, {}, at(columns * 0.39));
    drag.print("move of the dragged cut");
    std::printf("%-44s %.0f a second (%d moves told)\n", "updates while the cut is dragged", 60 / seconds, moved);
}

void timeWindow(TimedApplication& application, int linears) {
    QSettings().clear();
    QTemporaryDir dir;
    QDir(dir.path()).mkpath(QStringLiteral("model"));
    std::ofstream(dir.filePath(QStringLiteral("text.txt")).toStdString()) << "words";
    auto world = std::make_shared<FakeWorld>();
    world->blocks = std::max(1, linears / 7);
    world->hidden = 4096;
    world->inner = 11008;
    std::printf("\nwindow: main path with made-up jobs, %d linears of 4,096 and 11,008 columns\n", world->blocks * 7);
    application.reset();
    MainWindow window(fakeJobs(world), nullptr);
    window.resize(1600, 1000);
    window.show();
    const auto wait = [](const std::function<bool()>& condition) {
        if (!QTest::qWaitFor(condition, 600000)) std::printf("  did not end\n");
        QTest::qWait(400);
    };
    const auto idle = [&] { wait([&] { return !window.runner().computing(); }); };
    const auto type = [&](const char* name, const QString& text) {
        auto* edit = window.findChild<QLineEdit*>(QLatin1String(name));
        edit->selectAll();
        QTest::keyClicks(edit, text);
    };
    auto& tree = *window.findChild<LayerTree*>();
    const auto done = [&](const char* step) {
        application.print(step);
        application.reset();
    };
    QTest::qWait(200);
    done("start");
    window.open(dir.filePath(QStringLiteral("model")));
    wait([&] { return window.workspace().isOpen(); });
    done("open");
    type("calibrationFile", dir.filePath(QStringLiteral("text.txt")));
    type("runDirectory", dir.filePath(QStringLiteral("run")));
    done("type settings");
    QTest::keyClick(&window, Qt::Key_F6);
    QTest::qWait(50);
    idle();
    done("analyze, each linear shown as it comes");
    QStringList all, downs;
    for (const LinearInfo& l : world->model().linears) {
        all << QString::fromStdString(l.name);
        if (l.kind == "down") downs << all.last();
    }
    tree.select(downs);
    QTest::qWait(1000);
    done("select one kind of all blocks");
    tree.select(all);
    QTest::qWait(2000);
    done("select all linears");
    tree.select({downs.first()});
    QTest::qWait(600);
    application.reset();
    auto& group = window.findChild<PlotArea*>()->group();
    for (int i = 0; i < 30; ++i) {
        Q_EMIT group.cutMoved(downs.first(), 10 + 4 * i, false);
        QCoreApplication::processEvents();
    }
    Q_EMIT group.cutMoved(downs.first(), 130, true);
    QTest::qWait(800);
    done("drag the cut of one");
    QTest::keyClick(&window, Qt::Key_F5);
    QTest::qWait(50);
    idle();
    done("run, each linear shown as it comes");
    auto* results = window.findChild<ResultsView*>();
    results->select(dir.filePath(QStringLiteral("run")));
    type("evaluationText", dir.filePath(QStringLiteral("text.txt")));
    QTest::keyClick(&window, Qt::Key_F7);
    QTest::qWait(50);
    idle();
    done("measure");
    window.resize(1200, 800);
    QTest::qWait(300);
    done("resize");
}

void timeOpening(TimedApplication& application, const QString& checkpoint) {
    MainWindow window(realJobs(), nullptr);
    window.resize(1600, 1000);
    window.show();
    QTest::qWait(500);
    application.reset();
    QElapsedTimer clock;
    clock.start();
    window.open(checkpoint);  // what a drop does
    const bool opened = QTest::qWaitFor([&] { return window.workspace().isOpen() && window.findChild<LayerTree*>()->isVisible(); }, 60'000);
    window.grab();
    std::printf("\nopening %s: %s after %lld ms, %zu linears\n", qPrintable(checkpoint), opened ? "painted" : "failed", clock.elapsed(), opened ? window.workspace().model().info.linears.size() : size_t(0));
    QTest::qWait(1000);
    application.print("open, and a second after");
}

}  // namespace

int main(int argc, char** argv) {
    setvbuf(stdout, nullptr, _IOLBF, 0);
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
    QTemporaryDir home;
    for (const char* variable : {"HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"}) qputenv(variable, home.path().toUtf8());
    TimedApplication application(argc, argv);
    QCoreApplication::setOrganizationName(QStringLiteral("owq-bench"));
    Theme theme(application);
    const int linears = argc > 1 ? std::max(7, std::atoi(argv[1])) : 224, columns = argc > 2 ? std::max(200, std::atoi(argv[2])) : 11008;
    timePlots(linears, columns);
    timeWindow(application, linears);
    if (argc > 3) timeOpening(application, QString::fromLocal8Bit(argv[3]));
    return 0;
}
