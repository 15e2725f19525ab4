// SPDX-License-Identifier: Apache-2.0
// What the tree and the menus do to the plots: layers dragged onto them, and all of them as figures.
#include <QAbstractProxyModel>
#include <QComboBox>
#include <QApplication>
#include <QDoubleSpinBox>
#include <QDragEnterEvent>
#include <QDropEvent>
#include <QLabel>
#include <QMimeData>
#include <QMouseEvent>
#include <QTreeView>
#include <QUrl>

#include "app/workbench/plot_area.h"
#include "app/workbench/project_controller.h"
#include "app/workbench/render_figure.h"
#include "tests/app/workbench/window_fixture.h"
#include "widgets/common/layer_mime.h"
#include "widgets/figure/figure_dialog.h"

namespace owq {
namespace {

const QString kQuery = QStringLiteral("model.layers.0.self_attn.q_proj"), kKey = QStringLiteral("model.layers.0.self_attn.k_proj"),
              kDown = QStringLiteral("model.layers.1.mlp.down_proj");

class WindowPlotsTest : public MainWindowTest {
protected:
    PlotArea& plots() { return *get<PlotArea>(); }
    QTreeView& view() { return get<LayerTree>()->view(); }
    QStringList selected() { return get<LayerTree>()->selectedLayers(); }
    QStringList curves() {
        QStringList names;
        for (const LayerCurvesPtr& c : plots().curves()) names << c->name;
        return names;
    }
    QModelIndex rowOf(const QString& layer) {
        const auto* filter = qobject_cast<const QAbstractProxyModel*>(view().model());
        return filter->mapFromSource(tree().indexOf(layer));
    }
    QPoint pointOf(const QString& layer) {
        view().scrollTo(rowOf(layer));
        return view().visualRect(rowOf(layer)).center();
    }
    /// Presses on the layer's row, moves away, and lets go over `onto`. The platform of the tests has no drags of its own: the events of
    /// entering and dropping are sent with the data that the row gives.
    void drag(const QString& layer, QWidget* onto) {
        QWidget* from = view().viewport();
        const QPoint start = pointOf(layer);
        const QStringList before = selected();
        QTest::mousePress(from, Qt::LeftButton, Qt::NoModifier, start);
        for (int i = 1; i < 3; ++i) {  // the second is far enough
            const QPoint at = start + QPoint(0, i * QApplication::startDragDistance());
            QMouseEvent move(QEvent::MouseMove, at, from->mapToGlobal(at), Qt::NoButton, Qt::LeftButton, Qt::NoModifier);
            QApplication::sendEvent(from, &move);
        }
        EXPECT_EQ(selected(), before) << "a row on its way does not replace what is shown";
        const std::unique_ptr<QMimeData> data(view().model()->mimeData({rowOf(layer)}));
        QDragEnterEvent enter(onto->rect().center(), Qt::CopyAction, data.get(), Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(onto, &enter);
        EXPECT_TRUE(enter.isAccepted());
        QDropEvent drop(onto->rect().center(), Qt::CopyAction, data.get(), Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(onto, &drop);
        EXPECT_TRUE(drop.isAccepted());
    }
    static QByteArray bytes(const QString& path) {
        QFile file(path);
        EXPECT_TRUE(file.open(QIODevice::ReadOnly)) << path.toStdString();
        return file.readAll();
    }
    /// All figures of the window to `stem`, with sizes that nothing else has.
    void writeFigures(const QString& stem, int format) {
        FigureDialog& dialog = openFigures();
        dialog.setDestination(stem);
        dialog.findChild<QComboBox*>(QStringLiteral("format"))->setCurrentIndex(format);
        for (const auto& [name, value] : {std::pair{"height", 70.0}, {"font", 7.0}, {"line", 1.2}, {"dpi", 300.0}})
            dialog.findChild<QDoubleSpinBox*>(QLatin1String(name))->setValue(value);
        dialog.accept();
        ASSERT_TRUE(waitFor([&] { return get<FigureDialog>() == nullptr; }));
    }
    /// owq figure with the same sizes.
    QByteArray rendered(Arguments a, const QString& kind, const QString& out) {
        a.kind = kind;
        a.out = out;
        a.heightMm = 70;
        a.fontPt = 7;
        a.linePt = 1.2;
        a.dpi = 300;
        EXPECT_EQ(renderFigureCommand(a, fakeJobs(world)), 0) << kind.toStdString();
        return bytes(out);
    }
    FigureDialog& openFigures() {
        window->activateWindow();  // a dialog that has closed leaves none active
        EXPECT_TRUE(waitFor([&] { return window->isActiveWindow(); }));
        QTest::keyClick(window.get(), Qt::Key_E, Qt::ControlModifier | Qt::ShiftModifier);
        EXPECT_TRUE(waitFor([&] { return get<FigureDialog>() != nullptr && get<FigureDialog>()->isVisible(); }));
        EXPECT_TRUE(waitFor([&] { return !get<FigureDialog>()->isBusy(); }));
        return *get<FigureDialog>();
    }
};

TEST_F(WindowPlotsTest, ARowDraggedOntoAPlotIsShownWithWhatIsThere) {
    openModel();
    ASSERT_TRUE(waitFor([&] { return curves() == QStringList(kQuery); }));
    drag(kDown, plots().group().plots().front()->canvas());
    ASSERT_TRUE(waitFor([&] { return selected() == QStringList({kQuery, kDown}); })) << selected().join(' ').toStdString();
    ASSERT_TRUE(waitFor([&] { return curves() == QStringList({kQuery, kDown}); }));
    // Where nothing can be drawn yet, too.
    drag(kKey, plots().group().plots().back());
    ASSERT_TRUE(waitFor([&] { return selected().size() == 3 && curves().size() == 3; })) << selected().join(' ').toStdString();
}

TEST_F(WindowPlotsTest, ASelectedRowTakesAllSelectedOnesAndABlockItsLinears) {
    openModel();
    LayerTreeModel& layers = tree();
    const auto names = [&](const QModelIndexList& rows) {
        const std::unique_ptr<QMimeData> data(layers.mimeData(rows));
        return data ? layersOf(*data) : QStringList();
    };
    EXPECT_EQ(names({layers.indexOf(kQuery), layers.indexOf(kDown)}), QStringList({kQuery, kDown}));
    EXPECT_EQ(names({layers.index(1, 0), layers.indexOf(kDown)}).size(), 7) << "the block's linears, each once";
    EXPECT_FALSE(std::unique_ptr<QMimeData>(layers.mimeData({})));
}

TEST_F(WindowPlotsTest, AClickStillSelectsOneRowAndModifiersSeveral) {
    openModel();
    const auto click = [&](const QString& layer, Qt::KeyboardModifiers modifiers = {}) {
        QTest::mouseClick(view().viewport(), Qt::LeftButton, modifiers, pointOf(layer));
    };
    click(kDown);
    EXPECT_EQ(selected(), QStringList(kDown));
    click(kQuery, Qt::ControlModifier);
    EXPECT_EQ(selected().size(), 2);
    click(kQuery);
    EXPECT_EQ(selected(), QStringList(kQuery)) << "of several, the one that is clicked stays";
    QTest::mousePress(view().viewport(), Qt::LeftButton, {}, pointOf(kKey));
    EXPECT_EQ(selected(), QStringList(kQuery)) << "not before the button is let go";
    QTest::mouseRelease(view().viewport(), Qt::LeftButton, {}, pointOf(kKey));
    EXPECT_EQ(selected(), QStringList(kKey));
}

TEST_F(WindowPlotsTest, FilesDroppedOnAPlotAreStillOpened) {
    openModel();
    QDir(dir.path()).mkpath(QStringLiteral("other"));
    const QString other = dir.filePath(QStringLiteral("other"));
    QMimeData data;
    data.setUrls({QUrl::fromLocalFile(other)});
    QWidget* canvas = plots().group().plots().front()->canvas();
    QDragEnterEvent enter(QPoint(30, 30), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(canvas, &enter);
    EXPECT_TRUE(enter.isAccepted());
    QDropEvent drop(QPointF(30, 30), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(canvas, &drop);
    EXPECT_TRUE(waitFor([&] { return window->workspace().path() == other; }));
}

TEST_F(WindowPlotsTest, AllFiguresAreWrittenAtOnceAsTheCommandLineWritesThem) {
    openModel();
    makeRun();
    ASSERT_TRUE(waitFor([&] { return !plots().curves().empty() && plots().curves().front()->measured; }));
    FigureDialog& dialog = openFigures();
    QTemporaryDir out;
    dialog.setDestination(out.filePath(QStringLiteral("fig")));
    dialog.findChild<QComboBox*>(QStringLiteral("format"))->setCurrentIndex(1);
    dialog.findChild<QDoubleSpinBox*>(QStringLiteral("width"))->setValue(120);
    dialog.accept();
    ASSERT_TRUE(waitFor([&] { return get<FigureDialog>() == nullptr; }));
    for (const char* kind : {"hessian-0-q_proj", "column-range-0-q_proj", "cumulative-error-0-q_proj", "sensitivity-0-q_proj", "error-saved"}) {
        const QString stem = out.filePath(QStringLiteral("fig-%1").arg(QLatin1String(kind)));
        EXPECT_TRUE(QFile::exists(stem + QStringLiteral(".svg"))) << kind;
        EXPECT_TRUE(QFile::exists(stem + QStringLiteral(".csv"))) << kind;
    }
    EXPECT_EQ(QDir(out.path()).entryList(QDir::Files).size(), 10) << "no leftovers";
    // owq figure of the same run and layer.
    Arguments a;
    a.directory = run();
    a.layers = {firstLayer()};
    a.kind = QStringLiteral("hessian");
    a.widthMm = 120;
    a.out = out.filePath(QStringLiteral("same.svg"));
    ASSERT_EQ(renderFigureCommand(a, fakeJobs(world)), 0);
    EXPECT_EQ(bytes(a.out), bytes(out.filePath(QStringLiteral("fig-hessian-0-q_proj.svg"))));
    // Of all layers, though one is selected.
    a.layers.clear();
    a.kind = QStringLiteral("error-saved");
    a.csv = out.filePath(QStringLiteral("same.csv"));
    ASSERT_EQ(renderFigureCommand(a, fakeJobs(world)), 0);
    EXPECT_EQ(bytes(a.out), bytes(out.filePath(QStringLiteral("fig-error-saved.svg"))));
    EXPECT_EQ(bytes(a.csv), bytes(out.filePath(QStringLiteral("fig-error-saved.csv"))));
}

TEST_F(WindowPlotsTest, SeveralCurvesInAnotherOrderAndAsSharesAreTheSameOnTheCommandLine) {
    openModel();
    makeRun();
    get<LayerTree>()->select({kQuery, kDown});
    plots().group().setXMode(XMode::HessianOrder);
    plots().setErrorShare(true);
    ASSERT_TRUE(waitFor([&] { return curves() == QStringList({kQuery, kDown}) && plots().curves().back()->measured; }));
    QTemporaryDir out;
    Arguments a;
    a.directory = run();
    a.layers = {kQuery, kDown};
    a.columnsBy = QStringLiteral("hessian");
    for (const int format : {1, 2}) {
        const QString ending = format == 1 ? QStringLiteral("svg") : QStringLiteral("png"), stem = out.filePath(ending);
        writeFigures(stem, format);
        for (const char* kind : {"hessian", "column-range", "cumulative-error", "sensitivity"}) {
            a.share = kind == QLatin1String("cumulative-error");
            EXPECT_EQ(rendered(a, QLatin1String(kind), out.filePath(QStringLiteral("same.") + ending)),
                      bytes(QStringLiteral("%1-%2-0-q_proj-and-1-more.%3").arg(stem, QLatin1String(kind), ending)))
                << kind;
        }
    }
    a.share = false;
    EXPECT_NE(rendered(a, QStringLiteral("cumulative-error"), out.filePath(QStringLiteral("same.svg"))),
              bytes(out.filePath(QStringLiteral("svg-cumulative-error-0-q_proj-and-1-more.svg"))));
    a.kind = QStringLiteral("hessian");
    a.out = out.filePath(QStringLiteral("none.svg"));
    a.columnsBy = QStringLiteral("size");
    EXPECT_EQ(renderFigureCommand(a, fakeJobs(world)), 2);
}

TEST_F(WindowPlotsTest, TwoRunsComparedAndTheirProjectAreTheSameOnTheCommandLine) {
    openModel();
    makeRun();
    const QString second = run() + QLatin1Char('2');
    window->findChild<QLineEdit*>(QStringLiteral("runDirectory"))->setText(second);
    press("run");
    ASSERT_TRUE(idle());
    ASSERT_TRUE(waitFor([&] { return results().find(second) && results().find(second)->finished; }));
    {
        const std::lock_guard lock(world->mutex);
        for (auto& [name, report] : world->layers[second.toStdString()])
            for (float& loss : report.statistics.columnLoss) loss *= 3;
    }
    window->workspace().clearSource(second);  // read again
    Q_EMIT get<ResultsView>()->compareWanted(run(), second);
    plots().group().setXMode(XMode::Rank);
    ASSERT_TRUE(waitFor([&] { return curves() == QStringList({kQuery, kQuery}); }));
    QTemporaryDir out;
    const QString stem = out.filePath(QStringLiteral("fig"));
    writeFigures(stem, 1);
    const QString project = out.filePath(QStringLiteral("study.owqproject"));
    window->projects().save(project);
    ASSERT_TRUE(waitFor([&] { return window->projects().file() == project; }));
    Arguments named, kept;
    named.directory = run();
    named.compare = second;
    named.columnsBy = QStringLiteral("rank");
    kept.directory = project;
    for (const char* kind : {"hessian", "column-range", "cumulative-error", "sensitivity", "error-saved"}) {
        const bool all = kind == QLatin1String("error-saved");
        named.layers = all ? QStringList() : QStringList(kQuery);
        const QByteArray drawn = bytes(stem + QStringLiteral("-%1%2.svg").arg(QLatin1String(kind), all ? QString() : QStringLiteral("-0-q_proj")));
        EXPECT_EQ(rendered(named, QLatin1String(kind), out.filePath(QStringLiteral("named.svg"))), drawn) << kind;
        EXPECT_EQ(rendered(kept, QLatin1String(kind), out.filePath(QStringLiteral("kept.svg"))), drawn) << kind;
    }
}

TEST_F(WindowPlotsTest, AProjectsAnalysisIsDrawnWithItsBudget) {
    openModel();
    fillPanel();
    press("analyze");
    ASSERT_TRUE(idle());
    ASSERT_TRUE(waitFor([&] { return window->workspace().hasReports(Workspace::kAnalysis); }));
    Q_EMIT plots().group().cutMoved(firstLayer(), 31, true);
    ASSERT_TRUE(waitFor([&] { return !plots().curves().empty() && plots().curves().front()->weakColumns.size() == 31; }));
    QTemporaryDir out;
    writeFigures(out.filePath(QStringLiteral("fig")), 1);
    const QString project = out.filePath(QStringLiteral("study.owqproject"));
    window->projects().save(project);
    ASSERT_TRUE(waitFor([&] { return window->projects().file() == project; }));
    {  // the folder that a real analysis would have left
        const std::string folder = projectFromJson(readJson(toPath(project)), "project").analysis.toStdString();
        const std::lock_guard lock(world->mutex);
        RunSummary& analysis = world->runs[folder];
        for (const LinearInfo& linear : world->model().linears) {
            analysis.layerNames.push_back(linear.name);
            world->layers[folder].emplace(linear.name, world->report(linear, false));
        }
    }
    Arguments a;
    a.directory = project;
    EXPECT_EQ(rendered(a, QStringLiteral("sensitivity"), out.filePath(QStringLiteral("kept.svg"))), bytes(out.filePath(QStringLiteral("fig-sensitivity-0-q_proj.svg"))));
    a.compare = run();
    a.kind = QStringLiteral("sensitivity");
    a.out = out.filePath(QStringLiteral("none.svg"));
    EXPECT_EQ(renderFigureCommand(a, fakeJobs(world)), 1) << "an analysis is compared with nothing";
}

TEST_F(WindowPlotsTest, SpeedIsDrawnFromAResultOfBenchAndFromNothingElse) {
    QTemporaryDir out;
    const auto render = [&](const std::string& json) {
        QFile input(out.filePath(QStringLiteral("bench.json")));
        EXPECT_TRUE(input.open(QIODevice::WriteOnly));
        input.write(QByteArray::fromStdString(json));
        input.close();
        Arguments a;
        a.directory = input.fileName();
        a.kind = QStringLiteral("speed");
        a.out = out.filePath(QStringLiteral("speed.svg"));
        return renderFigureCommand(a, fakeJobs(world));
    };
    for (const char* broken : {"", "[]", "{\"model\": \"m\"}", R"({"model": "m", "layers": [{"rows": 3}]})", R"({"model": "m", "layers": []})"}) {
        EXPECT_EQ(render(broken), 1) << broken;
        EXPECT_FALSE(QFile::exists(out.filePath(QStringLiteral("speed.svg")))) << broken;
    }
    // On a GPU shares are of the rate of copying; earlier versions did not say what computed.
    for (const auto& [device, rate] : {std::pair{R"("device": "cuda", )", "copy rate"}, {R"("device": "cpu", )", "read rate"}, {"", "read rate"}}) {
        EXPECT_EQ(render(std::string(R"({"model": "m", )") + device + R"("layers": [{"rows": 64, "columns": 128, "batch": 1, "bits": 3, "weak_columns": 0,
                         "seconds": 0.001, "fp16_seconds": 0.002, "share_of_read_rate": 0.5}]})"),
                  0);
        QFile svg(out.filePath(QStringLiteral("speed.svg")));
        ASSERT_TRUE(svg.open(QIODevice::ReadOnly));
        const QByteArray drawn = svg.readAll();
        EXPECT_TRUE(drawn.contains("2.00"));
        EXPECT_TRUE(drawn.contains(rate)) << device;
    }
}

TEST_F(WindowPlotsTest, PlotsThatShowNothingAreLeftOutAndSaid) {
    openModel();
    ASSERT_TRUE(waitFor([&] { return !plots().curves().empty() && !plots().curves().front()->columnMin.empty(); }));
    FigureDialog& dialog = openFigures();
    const QString text = dialog.findChild<QLabel*>(QStringLiteral("message"))->text();
    EXPECT_TRUE(text.contains("Hessian diagonal") && text.contains("Error saved") && !text.contains("Column range")) << text.toStdString();
    QTemporaryDir out;
    dialog.setDestination(out.filePath(QStringLiteral("range.pdf")));
    dialog.accept();
    ASSERT_TRUE(waitFor([&] { return get<FigureDialog>() == nullptr; }));
    EXPECT_TRUE(QFile::exists(out.filePath(QStringLiteral("range.pdf"))));
}

}  // namespace
}  // namespace owq
