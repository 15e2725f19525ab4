// SPDX-License-Identifier: Apache-2.0
#include "widgets/figure/figure_renderer.h"

#include <gtest/gtest.h>

#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QDir>
#include <QDoubleSpinBox>
#include <QFile>
#include <QFileInfo>
#include <QImage>
#include <QLabel>
#include <QMessageBox>
#include <QPainter>
#include <QPushButton>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>
#include <QThread>
#include <QTimer>
#include <atomic>

#include "tests/widgets/curves.h"
#include "widgets/figure/figure_dialog.h"
#include "widgets/figure/pdf_size.h"
#include "widgets/speed/speed_figure.h"

namespace owq {
namespace {

QByteArray contents(const QString& path) {
    QFile file(path);
    EXPECT_TRUE(file.open(QIODevice::ReadOnly)) << qPrintable(path);
    return file.readAll();
}

class FigureTest : public ::testing::TestWithParam<PlotKind> {
protected:
    QTemporaryDir folder_;
    std::vector<LayerCurvesPtr> curves_{testing::sixColumns(), testing::sixColumns(QStringLiteral("model.layers.0.mlp.down_proj"))};
    QString at(const QString& name) { return folder_.filePath(name); }
    void SetUp() override { FigureDialog::forget(); }
    static bool ready(const FigureDialog& dialog) {
        return QTest::qWaitFor([&] { return !dialog.isBusy(); }, 30000);
    }
    static void press(FigureDialog& dialog, QDialogButtonBox::StandardButton button) {
        QTest::mouseClick(dialog.findChild<QDialogButtonBox*>()->button(button), Qt::LeftButton);
    }
    void put(const QString& name) {
        QFile file(at(name));
        ASSERT_TRUE(file.open(QIODevice::WriteOnly));
        file.write("mine");
    }
};

// Presses the button of the question that comes up next, and keeps what it said.
QString answered(const QString& button, const std::function<void()>& ask) {
    QString said;
    QTimer::singleShot(0, [&] {
        auto* box = qobject_cast<QMessageBox*>(QApplication::activeModalWidget());
        if (!box) return;
        said = box->text();
        for (QAbstractButton* b : box->buttons())
            if (b->text().remove(QLatin1Char('&')) == button) return b->click();
        box->reject();
    });
    ask();
    return said;
}

TEST_P(FigureTest, PdfHasTheExactSizeAndAnIntactTable) {
    FigureOptions options;
    options.kind = GetParam();
    options.widthMm = 86.1;
    options.heightMm = 61.3;
    const FigureResult result = renderFigure(options, curves_, at(QStringLiteral("f.pdf")));
    ASSERT_TRUE(result.ok) << qPrintable(result.error);
    const QByteArray pdf = contents(at(QStringLiteral("f.pdf")));
    ASSERT_TRUE(pdf.startsWith("%PDF-"));
    const auto box = QRegularExpression(QStringLiteral(R"(/MediaBox \[(\S+) (\S+) (\S+) (\S+)\])")).match(QString::fromLatin1(pdf));
    ASSERT_TRUE(box.hasMatch());
    EXPECT_NEAR((box.captured(3).toDouble() - box.captured(1).toDouble()) / 72 * 25.4, 86.1, 0.01);
    EXPECT_NEAR((box.captured(4).toDouble() - box.captured(2).toDouble()) / 72 * 25.4, 61.3, 0.01);
    // Every entry of the cross-reference table points at its object.
    const qsizetype table = pdf.mid(pdf.lastIndexOf("startxref\n") + 10).split('\n').first().toLongLong();
    ASSERT_EQ(pdf.mid(table, 5), "xref\n");
    const int count = pdf.mid(table + 5, pdf.indexOf('\n', table + 5) - table - 5).split(' ').at(1).toInt();
    const qsizetype first = pdf.indexOf('\n', table + 5) + 1;
    ASSERT_GT(count, 5);
    for (int i = 1; i < count; ++i) {
        const QByteArray entry = pdf.mid(first + 20 * i, 20);
        if (entry[17] != 'n') continue;
        EXPECT_TRUE(pdf.mid(entry.left(10).toLongLong()).startsWith(QByteArray::number(i) + " 0 obj")) << i;
    }
    EXPECT_TRUE(pdf.contains("/FontFile2")) << "text is text, with its font inside";
}

TEST_P(FigureTest, SvgHasTheSizeTitlesAndLegendAsText) {
    FigureOptions options;
    options.kind = GetParam();
    ASSERT_TRUE(renderFigure(options, curves_, at(QStringLiteral("f.svg"))).ok);
    const QString svg = QString::fromUtf8(contents(at(QStringLiteral("f.svg"))));
    const auto size = QRegularExpression(QStringLiteral("<svg width=\"([0-9.]+)mm\" height=\"([0-9.]+)mm\"")).match(svg);
    ASSERT_TRUE(size.hasMatch());
    EXPECT_NEAR(size.captured(1).toDouble(), 85, 0.05);
    EXPECT_NEAR(size.captured(2).toDouble(), 60, 0.05);
    const PlotContent content = figureContent(options, curves_);
    EXPECT_TRUE(svg.contains(content.xTitle.toHtmlEscaped()));
    for (const QString& word : content.yTitle.split(QLatin1Char(' ')))  // Qt starts a new text element where the script changes
        EXPECT_TRUE(svg.contains(word.left(1).toHtmlEscaped())) << qPrintable(word);
    EXPECT_TRUE(svg.contains(QStringLiteral("0 q_proj")));
    EXPECT_TRUE(svg.contains(QStringLiteral("0 down_proj")));
}

TEST_P(FigureTest, PngHasTheSizeAndCsvEqualsTheData) {
    FigureOptions options;
    options.kind = GetParam();
    options.pngDpi = 200;
    options.csvPath = at(QStringLiteral("f.csv"));
    const FigureResult result = renderFigure(options, curves_, at(QStringLiteral("f.png")));
    ASSERT_TRUE(result.ok) << qPrintable(result.error);
    EXPECT_EQ(result.files.size(), 2);
    const QImage image(at(QStringLiteral("f.png")));
    EXPECT_EQ(image.size(), QSize(669, 472));
    EXPECT_NEAR(image.dotsPerMeterX() * 0.0254, 200, 0.1);
    EXPECT_EQ(image.pixelColor(0, 471), QColor(Qt::white));
    int ink = 0;
    for (int x = 0; x < image.width(); ++x)
        for (int y = 100; y < image.height(); ++y) ink += image.pixelColor(x, y).hsvSaturation() > 100;
    EXPECT_GT(ink, 300) << "the curves are there";
    EXPECT_EQ(contents(options.csvPath), tableText(figureContent(options, curves_), TableFormat::Csv).toUtf8());
    EXPECT_EQ(contents(options.csvPath).count('\n'), GetParam() == PlotKind::ErrorSaved ? 15 : 13) << "no weak column is an entry of its own there";
}

INSTANTIATE_TEST_SUITE_P(Kinds, FigureTest,
                         ::testing::Values(PlotKind::HessianDiagonal, PlotKind::ColumnRange, PlotKind::CumulativeError, PlotKind::Sensitivity, PlotKind::ErrorSaved),
                         [](const auto& kind) { return plotKindName(kind.param).remove(QLatin1Char('-')).toStdString(); });

TEST_F(FigureTest, ProblemsAreTold) {
    FigureOptions options;
    EXPECT_TRUE(renderFigure(options, curves_, at(QStringLiteral("f.jpg"))).error.contains(QStringLiteral(".pdf, .svg or .png")));
    EXPECT_TRUE(renderFigure(options, {}, at(QStringLiteral("f.pdf"))).error.contains(QStringLiteral("Select a linear")));
    EXPECT_TRUE(renderFigure(options, curves_, at(QStringLiteral("none/f.pdf"))).error.contains(QStringLiteral("Cannot write")));
    options.pngDpi = 1e6;
    EXPECT_TRUE(renderFigure(options, curves_, at(QStringLiteral("f.png"))).error.contains(QStringLiteral("2400 dpi")));
    options.widthMm = 1e9;
    EXPECT_TRUE(renderFigure(options, curves_, at(QStringLiteral("f.pdf"))).error.contains(QStringLiteral("20 to 1000 mm")));
    EXPECT_FALSE(QFile::exists(at(QStringLiteral("f.pdf"))));
}

TEST_F(FigureTest, NamesOfKindsReadBack) {
    EXPECT_EQ(plotKind(QStringLiteral("column-range")), PlotKind::ColumnRange);
    EXPECT_FALSE(plotKind(QStringLiteral("pie")));
}

TEST_F(FigureTest, ForeignPdfIsLeftAlone) {
    for (const QByteArray& pdf : {QByteArray("no pdf"), QByteArray("/MediaBox [0 0 1 2]"), QByteArray("/MediaBox [x]\nxref\nstartxref\n14\n")})
        EXPECT_EQ(withExactPageSize(pdf, 10, 10), pdf);
}

TEST_F(FigureTest, DialogWritesWhatItIsAsked) {
    FigureOptions options;
    options.kind = PlotKind::ColumnRange;
    FigureDialog dialog(options, curves_);
    dialog.setDestination(at(QStringLiteral("range.svg")));
    dialog.findChild<QDoubleSpinBox*>(QStringLiteral("width"))->setValue(175);
    dialog.accept();
    ASSERT_TRUE(ready(dialog));
    EXPECT_EQ(dialog.QDialog::result(), QDialog::Accepted);
    const QString svg = QString::fromUtf8(contents(at(QStringLiteral("range.svg"))));
    EXPECT_NEAR(svg.section(QStringLiteral("<svg width=\""), 1).section(QStringLiteral("mm"), 0, 0).toDouble(), 175, 0.05);
    EXPECT_TRUE(QFile::exists(at(QStringLiteral("range.csv"))));
}

TEST_F(FigureTest, DialogWritesSeveralAndSaysWhichWereWrittenBeforeOneFailed) {
    std::vector<FigureDialog::Figure> figures;
    for (const PlotKind kind : {PlotKind::HessianDiagonal, PlotKind::Sensitivity}) {
        const FigureOptions options{.kind = kind};
        figures.push_back({options, curveFigure(options, curves_)});
    }
    FigureDialog dialog(std::move(figures));
    dialog.show();
    dialog.findChild<QCheckBox*>(QStringLiteral("csv"))->setChecked(false);
    dialog.findChild<QComboBox*>(QStringLiteral("format"))->setCurrentIndex(2);
    dialog.findChild<QDoubleSpinBox*>(QStringLiteral("dpi"))->setValue(100);
    dialog.setDestination(at(QStringLiteral("v1.2 fig")));
    const QString names = QStringLiteral("v1.2 fig-%1-0-q_proj-and-1-more.png"), blocked = at(names.arg(QStringLiteral("sensitivity")));
    ASSERT_TRUE(QDir().mkdir(blocked));  // in the way
    dialog.accept();
    ASSERT_TRUE(ready(dialog));
    EXPECT_TRUE(dialog.isVisible());
    const QString text = dialog.findChild<QLabel*>(QStringLiteral("message"))->text();
    EXPECT_TRUE(text.contains("Cannot write") && text.contains("fig-sensitivity-0-q_proj") && text.contains("Written so far")) << text.toStdString();
    ASSERT_TRUE(QDir().rmdir(blocked));
    dialog.accept();  // what it wrote a moment ago it replaces unasked
    ASSERT_TRUE(ready(dialog));
    EXPECT_FALSE(dialog.isVisible());
    EXPECT_TRUE(QFile::exists(at(names.arg(QStringLiteral("hessian")))) && QFile::exists(blocked));
}

TEST_F(FigureTest, DialogStaysOpenAndTellsWhatWentWrong) {
    FigureDialog dialog(FigureOptions(), curves_);
    dialog.show();
    dialog.setDestination(at(QStringLiteral("none/f.pdf")));
    dialog.accept();
    ASSERT_TRUE(ready(dialog));
    EXPECT_TRUE(dialog.isVisible());
    EXPECT_TRUE(dialog.findChild<QLabel*>(QStringLiteral("message"))->text().contains(QStringLiteral("Cannot write")));
}

TEST_F(FigureTest, TheSuggestedNameHasTheLinear) {
    const auto suggested = [](const std::vector<LayerCurvesPtr>& curves) { return QFileInfo(FigureDialog(FigureOptions(), curves).destination()).fileName(); };
    EXPECT_EQ(suggested({curves_[0]}), "hessian-0-q_proj.pdf");
    EXPECT_EQ(suggested({curves_[1]}), "hessian-0-down_proj.pdf");
    EXPECT_EQ(suggested(curves_), "hessian-0-q_proj-and-1-more.pdf");
    EXPECT_EQ(suggested({curves_[0], curves_[0]}), "hessian-0-q_proj.pdf") << "of two runs";
    EXPECT_EQ(suggested({testing::sixColumns(QStringLiteral("h.3.attn.c_proj"))}), "hessian-3-attn.c_proj.pdf");
}

TEST_F(FigureTest, WhatIsThereIsReplacedOnlyWhenThatIsAskedFor) {
    FigureDialog dialog(FigureOptions(), curves_);
    dialog.show();
    put(QStringLiteral("f.csv"));
    dialog.setDestination(at(QStringLiteral("f.pdf")));
    const auto save = [&] { press(dialog, QDialogButtonBox::Save); };
    QString said = answered(QStringLiteral("Cancel"), save);
    EXPECT_TRUE(said.contains("f.csv") && !said.contains("f.pdf")) << said.toStdString();
    EXPECT_FALSE(dialog.isBusy());
    EXPECT_TRUE(dialog.isVisible());
    EXPECT_FALSE(QFile::exists(at(QStringLiteral("f.pdf"))));
    put(QStringLiteral("f.pdf"));
    dialog.findChild<QCheckBox*>(QStringLiteral("csv"))->setChecked(false);
    said = answered(QStringLiteral("Replace"), save);
    EXPECT_TRUE(said.contains("f.pdf") && !said.contains("f.csv")) << said.toStdString();
    ASSERT_TRUE(ready(dialog));
    EXPECT_FALSE(dialog.isVisible());
    EXPECT_TRUE(contents(at(QStringLiteral("f.pdf"))).startsWith("%PDF-"));
    EXPECT_EQ(contents(at(QStringLiteral("f.csv"))), "mine");
}

TEST_F(FigureTest, TheFontIsNotTheApplications) {
    const QFont before = QApplication::font();
    const auto bytes = [&](const QString& name) {
        FigureOptions options;
        options.pngDpi = 100;
        EXPECT_TRUE(renderFigure(options, curves_, at(name)).ok);
        return contents(at(name));
    };
    QFont other(QStringLiteral("DejaVu Serif"), 17, QFont::Bold, true);
    other.setHintingPreference(QFont::PreferFullHinting);
    for (const QString& name : {QStringLiteral("f.svg"), QStringLiteral("f.png")}) {
        QApplication::setFont(before);
        const QByteArray usual = bytes(name);
        QApplication::setFont(other);
        EXPECT_TRUE(bytes(name) == usual) << name.toStdString();

    }
    QApplication::setFont(before);
}

// Draws nothing, and says how and where it was asked to.
struct Observed {
    std::atomic<int> previews{0}, figures{0}, tables{0}, besideTheWindow{0};
    FigureSource source() {
        const auto count = [this](std::atomic<int>& what) {
            ++what;
            besideTheWindow += QThread::currentThread() != qApp->thread();
        };
        return paintedFigure(
            QStringLiteral("nothing"), QStringLiteral("Nothing"),
            [=, this](QPainter&, const QRectF&, const DrawStyle& style) { count(style.thin ? previews : figures); },
            [=, this] {
                count(tables);
                return QStringLiteral("x\n");
            });
    }
};

TEST_F(FigureTest, PreviewAndFilesAreMadeBesideTheWindowAndFewPreviewsForManySteps) {
    Observed observed;
    FigureDialog dialog(FigureOptions(), observed.source());
    dialog.show();
    ASSERT_TRUE(QTest::qWaitFor([&] { return observed.previews == 1; }, 10000));
    auto* width = dialog.findChild<QDoubleSpinBox*>(QStringLiteral("width"));
    for (int i = 0; i < 30; ++i) width->stepUp();
    EXPECT_EQ(observed.previews, 1) << "not at every step";
    ASSERT_TRUE(QTest::qWaitFor([&] { return observed.previews == 2; }, 10000));
    QTest::qWait(150);  // what else comes would come now
    EXPECT_EQ(observed.previews, 2);
    dialog.setDestination(at(QStringLiteral("f.svg")));
    press(dialog, QDialogButtonBox::Save);
    EXPECT_TRUE(dialog.isBusy());
    EXPECT_FALSE(width->isEnabled());
    ASSERT_TRUE(ready(dialog));
    EXPECT_FALSE(dialog.isVisible());
    EXPECT_EQ(observed.figures, 1);
    EXPECT_EQ(observed.tables, 1);
    EXPECT_EQ(observed.besideTheWindow, 4);
}

TEST_F(FigureTest, CurvesAreLaidOutBesideTheWindowAndTheDialogSaysSo) {
    std::atomic<bool> go{false}, beside{false};
    const auto make = [&] {
        beside = QThread::currentThread() != qApp->thread();
        while (!go) QThread::msleep(1);
        return std::vector{FigureDialog::Figure{FigureOptions(), curveFigure(FigureOptions(), curves_)}};
    };
    FigureDialog dialog(make);
    dialog.show();
    EXPECT_TRUE(dialog.isBusy());
    EXPECT_FALSE(dialog.findChild<QLabel*>(QStringLiteral("message"))->text().isEmpty());
    EXPECT_FALSE(dialog.findChild<QDialogButtonBox*>()->button(QDialogButtonBox::Save)->isEnabled());
    go = true;
    ASSERT_TRUE(ready(dialog));
    EXPECT_TRUE(beside);
    EXPECT_TRUE(dialog.destination().endsWith(QStringLiteral("hessian-0-q_proj-and-1-more.pdf")));
    EXPECT_FALSE(dialog.findChild<QLabel*>(QStringLiteral("message"))->isVisible());
    EXPECT_TRUE(dialog.findChild<QDialogButtonBox*>()->button(QDialogButtonBox::Save)->isEnabled());
}

TEST_F(FigureTest, CancellingWhileItWritesLeavesNoFile) {
    std::atomic<bool> go{false};
    FigureSource source = paintedFigure(
        QStringLiteral("slow"), QStringLiteral("Slow"),
        [&](QPainter&, const QRectF&, const DrawStyle& style) {
            while (!style.thin && !go) QThread::msleep(1);
        },
        [] { return QString(); });
    FigureDialog dialog(FigureOptions(), source);
    dialog.show();
    dialog.setDestination(at(QStringLiteral("slow.svg")));
    press(dialog, QDialogButtonBox::Save);
    EXPECT_TRUE(dialog.isBusy());
    QTest::keyClick(&dialog, Qt::Key_Escape);
    EXPECT_FALSE(dialog.isVisible());
    go = true;
    ASSERT_TRUE(ready(dialog));
    EXPECT_TRUE(QDir(folder_.path()).isEmpty());
}

std::vector<SpeedRow> speedRows(int shapes) {
    std::vector<SpeedRow> rows;
    for (int i = shapes; i > 0; --i)
        for (const int bits : {4, 3}) rows.push_back({4096 * i, 11008, 1, 6, bits, 0.001 * bits, 0.012, 0.5});
    return rows;
}

TEST_F(FigureTest, SpeedIsDrawnByShapeWithItsNumbersBeside) {
    FigureOptions options;
    options.csvPath = at(QStringLiteral("s.csv"));
    std::vector<SpeedRow> rows = speedRows(2);
    rows.push_back({1, 1, 1, 0, 3, 0, 1, 1});  // never timed
    const FigureResult result = writeFigure(options, speedFigure(QStringLiteral("llama"), rows), at(QStringLiteral("s.svg")));
    ASSERT_TRUE(result.ok) << qPrintable(result.error);
    const QString svg = QString::fromUtf8(contents(at(QStringLiteral("s.svg"))));
    for (const char* text : {"4096 × 11008", "8192 × 11008", "3 bits", "4 bits", "4.00× (50 %)", "3.00× (50 %)", "Speed-up over fp16"})
        EXPECT_TRUE(svg.contains(QString::fromUtf8(text))) << text;
    EXPECT_EQ(contents(options.csvPath),
              "rows,columns,batch,bits,weak_columns,seconds,fp16_seconds,times_as_fast_as_fp16,share_of_read_rate\n"
              "4096,11008,1,3,6,0.003,0.012,4,0.5\n4096,11008,1,4,6,0.004,0.012,3,0.5\n"
              "8192,11008,1,3,6,0.003,0.012,4,0.5\n8192,11008,1,4,6,0.004,0.012,3,0.5\n");
}

TEST_F(FigureTest, ManyShapesLeaveTheNumbersToTheTable) {
    const auto svgOf = [&](int shapes) {
        EXPECT_TRUE(writeFigure({}, speedFigure(QStringLiteral("m"), speedRows(shapes)), at(QStringLiteral("s.svg"))).ok);
        return QString::fromUtf8(contents(at(QStringLiteral("s.svg"))));
    };
    EXPECT_TRUE(svgOf(3).contains(QStringLiteral("4.00×")));
    EXPECT_FALSE(svgOf(30).contains(QStringLiteral("4.00×")));
}

TEST_F(FigureTest, SpeedOfNothingSaysWhatToDo) {
    const FigureResult result = writeFigure({}, speedFigure(QStringLiteral("m"), {}), at(QStringLiteral("s.svg")));
    EXPECT_FALSE(result.ok);
    EXPECT_TRUE(result.error.contains(QStringLiteral("owq bench --json"))) << qPrintable(result.error);
    EXPECT_FALSE(QFile::exists(at(QStringLiteral("s.svg"))));
}

}  // namespace
}  // namespace owq
