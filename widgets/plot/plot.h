// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QElapsedTimer>
#include <QWidget>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "widgets/plot/plot_content.h"
#include "widgets/plot/plot_table_model.h"
#include "widgets/plot/zoom_history.h"

class QAction;
class QLabel;
class QStackedWidget;
class QTableView;

namespace owq {

class ContentDrawing;
class PlotCanvas;
class PlotMarks;

// One plot on screen: axes, zoom with history, crosshair with values, column selection, clipboard, table twin. A subclass says what
// is plotted. Keys: arrows move the crosshair (Shift: ten columns) and choose the curve, Enter selects the column, P pins a reference,
// + and - zoom, [ and ] move the cut, Page Up and Down pan, Backspace goes one step back, Home shows all, Escape clears, Ctrl+T shows the table.
class Plot : public QWidget {
    Q_OBJECT
public:
    enum class Step { Zoom, Merge, Back, Home };  // Merge: a zoom that joins the last one in the history
    Q_ENUM(Step)

    explicit Plot(PlotKind kind, QWidget* parent = nullptr);
    ~Plot() override;

    PlotKind kind() const { return kind_; }
    void setCurves(std::vector<LayerCurvesPtr> curves);  // a zoom stays: along x where the number of columns does, along y where the linears do
    const std::vector<LayerCurvesPtr>& curves() const { return curves_; }
    void setXMode(XMode mode);
    XMode xMode() const { return xMode_; }            // as asked for; content().xMode is what is shown
    const PlotContent& content() const { return content_; }
    bool isBuilding() const { return installed_ != build_; }  // of many curves: content() is still what was shown before
    QAbstractTableModel* tableModel() { return &table_; }

    PlotView view() const;
    void zoomTo(const PlotView& view, Step step = Step::Zoom);
    void zoomBack();
    void zoomHome();
    void followStep(Step step, double xLower, double xUpper);  // what a linked plot did, done here without a signal

    int selectedColumn() const { return selectedColumn_; }
    void setSelectedColumn(int column, const QString& layer = {});  // -1: none; the table twin goes to it, in the rows of `layer` where it is there
    int crosshair() const { return crosshair_; }
    void setCrosshair(int position);     // on the x axis; -1: none
    void pinReference();                 // at the crosshair, or no longer; the read-out then shows differences to it
    int reference() const { return pinned_; }
    void setReference(int position);     // -1: none
    QString readout() const;
    void setCutMovable(bool movable);    // planned cuts are dragged with the mouse, or moved by [ and ]
    void showWeak(const QString& layer, int weakColumns);  // at once: the curves with them are handed over later

    std::function<QString()> visibleText(TableFormat format) const;  // the rows between the edges of the plot, made on any thread
    // Both made beside the GUI thread, of the curves that are being laid out once they are.
    void copy();
    void writeCsv(const QString& path);
    void setTableShown(bool shown);
    bool isTableShown() const;

    QWidget* canvas() const;                      // for tests and drops
    QPointF pixelOf(double x, double y) const;    // on the canvas

Q_SIGNALS:
    void columnSelected(const QString& layer, int column);
    void crosshairMoved(int position);
    void referenceMoved(int position);
    void viewStepped(owq::Plot::Step step, double xLower, double xUpper);
    void cutMoved(const QString& layer, int weakColumns, bool finished);
    void figureRequested();
    void failed(const QString& message);
    void contentChanged();

protected:
    using ContentMaker = std::function<PlotContent(std::span<const LayerCurvesPtr>, XMode)>;
    virtual ContentMaker contentMaker() const = 0;  // called on any thread: holds what it needs by value
    void rebuild(bool keepView);  // to be called by the subclass's constructor and when its own settings change
    QAction* addOwnAction(const QString& text, const QString& tip, const QKeySequence& shortcut);

    void changeEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void install(PlotContent content);
    void keepZoom();
    void makeActions();
    void connectCanvas();
    void restyle(const PlotView& view);
    PlotView home() const;
    PlotView clamped(PlotView view) const;
    void setView(const PlotView& view);
    void zoomAround(double x, double factor);
    void pan(double share);
    int nearestBlock(QPointF pixel) const;
    void hover(QPointF pixel);
    void click(QPointF pixel);
    void selectAtCrosshair();
    void dragCut(QPointF pixel, bool finished);
    void stepCut(int by);
    int cutBlockAt(QPointF pixel) const;
    const std::vector<int>& rankingOf(const LayerCurvesPtr& curves);
    LayerCurvesPtr curvesOf(const QString& layer) const;
    void updateMarks(bool paint = true);  // not where all is about to be painted anyhow
    void saveCsv();
    void updateNote();
    void showSelectedRow();
    void replotLater();

    PlotKind kind_;
    std::vector<LayerCurvesPtr> curves_;
    XMode xMode_ = XMode::Index;
    PlotContent content_;
    int build_ = 0, installed_ = 0;  // the last content asked for, and the one shown
    bool keepView_ = true;           // when what is being built is shown
    int gathering_ = 0;              // texts for clipboard and files that are being made
    // What was looked at when there was last something to see: numbers of a linear may go and come again.
    struct Kept {
        PlotView view, home;
        int length;
        QString yTitle;
        std::set<QString> layers;
    };
    std::optional<Kept> kept_;
    std::set<QString> layers_;  // of the content
    PlotTableModel table_;
    ZoomHistory history_;
    QElapsedTimer lastZoom_;
    int selectedColumn_ = -1, crosshair_ = -1, pinned_ = -1;
    QString selectedLayer_;      // whose row the table twin shows
    bool followingRow_ = false;  // the table twin is taken to a row, not moved by a person
    size_t block_ = 0;  // the curve that keys and read-out speak of
    bool cutMovable_ = false;
    int cutBlock_ = -1;
    LayerCurvesPtr ranked_;      // whose ranking is kept while its cut moves
    std::vector<int> ranking_;

    QLabel* title_;
    QLabel* note_;
    QLabel* readoutLabel_;
    QStackedWidget* pages_;
    PlotCanvas* canvas_;
    QLabel* empty_;
    QTableView* tableView_ = nullptr;
    QAction* tableAction_ = nullptr;
    std::vector<QAction*> cutActions_;
    ContentDrawing* drawing_;
    std::unique_ptr<PlotMarks> marks_;
};

}  // namespace owq
