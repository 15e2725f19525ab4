// SPDX-License-Identifier: Apache-2.0
// One figure of each kind against a reference in tests/data/figures. OWQ_WRITE_FIGURES=1 writes the references anew.
#include <gtest/gtest.h>

#include <QFile>
#include <QTemporaryDir>
#include <algorithm>
#include <functional>
#include <stdexcept>

#include "tests/widgets/curves.h"
#include "tests/widgets/figure/figure_structure.h"
#include "widgets/figure/figure_renderer.h"
#include "widgets/speed/speed_figure.h"

namespace owq {
namespace {

using testing::FigureStructure;

std::vector<LayerCurvesPtr> twoLinears() {
    auto first = testing::sixColumns(), second = testing::sixColumns(QStringLiteral("model.layers.0.mlp.down_proj"));
    for (float& value : second->hessianDiagonal) value *= 3;
    for (float& value : second->sensitivity) value *= 0.2F;
    second->weakColumns = {4};
    return {first, second};
}

std::vector<LayerCurvesPtr> afterARun() {
    auto curves = testing::sixColumns();
    curves->measured = true;
    curves->order = {4, 1, 3, 2, 0, 5};
    std::reverse(curves->order.begin(), curves->order.end());
    curves->columnLoss = {0, 1, 3, 2};  // the weak columns have none
    return {curves};
}

struct Drawn {
    const char* name;
    FigureOptions options;
    FigureSource source;
};

Drawn drawn(const char* name, FigureOptions options, const std::vector<LayerCurvesPtr>& curves) {
    return {name, options, curveFigure(options, curves)};
}

std::vector<Drawn> figures() {
    const std::vector<SpeedRow> speed = {{256, 704, 1, 4, 3, 1e-4, 2.5e-4, 0.6}, {256, 704, 1, 4, 4, 1.2e-4, 2.5e-4, 0.55}, {512, 704, 1, 4, 3, 2e-4, 4.5e-4, 0.8}};
    return {drawn("hessian", {.kind = PlotKind::HessianDiagonal}, twoLinears()),
            drawn("column-range", {.kind = PlotKind::ColumnRange}, {twoLinears().front()}),
            drawn("cumulative-error", {.kind = PlotKind::CumulativeError, .errorScale = ErrorScale::Share}, afterARun()),
            drawn("sensitivity", {.kind = PlotKind::Sensitivity, .xMode = XMode::Rank}, {twoLinears().front()}),
            drawn("error-saved", {.kind = PlotKind::ErrorSaved, .xMode = XMode::Rank}, twoLinears()),
            {"speed", {}, speedFigure(QStringLiteral("a model"), speed)}};
}

Drawn figure(const std::string& name) {
    for (Drawn& f : figures())
        if (name == f.name) return std::move(f);
    throw std::out_of_range(name);
}

FigureStructure draw(const Drawn& figure) {
    const QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("f.svg"));
    const FigureResult result = writeFigure(figure.options, figure.source, path);
    EXPECT_TRUE(result.ok) << qPrintable(result.error);
    QFile file(path);
    EXPECT_TRUE(file.open(QIODevice::ReadOnly));
    return testing::structureOf(file.readAll());
}

QString referenceOf(const std::string& name) { return QStringLiteral(OWQ_TEST_DATA "/figures/%1.txt").arg(QString::fromStdString(name)); }

FigureStructure reference(const std::string& name) {
    QFile file(referenceOf(name));
    EXPECT_TRUE(file.open(QIODevice::ReadOnly)) << qPrintable(file.fileName());
    return testing::figureFromText(QString::fromUtf8(file.readAll()));
}

class FigureReference : public ::testing::TestWithParam<const char*> {};

TEST_P(FigureReference, LooksAsItDid) {
    const FigureStructure now = draw(figure(GetParam()));
    if (qEnvironmentVariableIsSet("OWQ_WRITE_FIGURES")) {
        QFile file(referenceOf(GetParam()));
        ASSERT_TRUE(file.open(QIODevice::WriteOnly)) << qPrintable(file.fileName());
        file.write(testing::toText(now).toUtf8());
    }
    const QStringList found = testing::differences(reference(GetParam()), now);
    EXPECT_TRUE(found.isEmpty()) << qPrintable(found.join(QLatin1Char('\n'))) << "\nIf that is meant: OWQ_WRITE_FIGURES=1, and look at the difference of the files";
}

INSTANTIATE_TEST_SUITE_P(Kinds, FigureReference, ::testing::Values("hessian", "column-range", "cumulative-error", "sensitivity", "error-saved", "speed"),
                         [](const auto& kind) { return QString::fromLatin1(kind.param).remove(QLatin1Char('-')).toStdString(); });

class FigureDifference : public ::testing::Test {
protected:
    const FigureStructure before_ = draw(figure("cumulative-error"));
    QStringList with(const std::function<void(FigureOptions&, LayerCurves&)>& change) {
        FigureOptions options = figure("cumulative-error").options;
        LayerCurves curves = *afterARun().front();
        change(options, curves);
        return testing::differences(before_, draw(drawn("changed", options, {std::make_shared<const LayerCurves>(curves)})));
    }
    QStringList with(const char* what, const char* instead) {
        const QString text = testing::toText(before_);
        EXPECT_TRUE(text.contains(QLatin1String(what))) << what << " is not in\n" << qPrintable(text);
        return testing::differences(before_, testing::figureFromText(QString(text).replace(QLatin1String(what), QLatin1String(instead))));
    }
};

TEST_F(FigureDifference, NoneWhereNothingChanged) {
    EXPECT_EQ(with([](FigureOptions&, LayerCurves&) {}), QStringList());
    EXPECT_EQ(testing::differences(before_, testing::figureFromText(testing::toText(before_))), QStringList()) << "through the file";
}

TEST_F(FigureDifference, CurvesRangesWidthsAndLabels) {
    EXPECT_NE(with([](FigureOptions&, LayerCurves& c) { c.sensitivity[2] *= 1.5F; }), QStringList()) << "a value";
    EXPECT_NE(with([](FigureOptions&, LayerCurves& c) { c.columnLoss[1] *= 1.5F; }), QStringList()) << "a measured value";
    EXPECT_NE(with([](FigureOptions&, LayerCurves& c) { c.columnLoss.clear(); }), QStringList()) << "a curve less";
    EXPECT_NE(with([](FigureOptions&, LayerCurves& c) { c.weakColumns.pop_back(); }), QStringList()) << "a mark less";
    EXPECT_NE(with([](FigureOptions& o, LayerCurves&) { o.errorScale = ErrorScale::Absolute; }), QStringList()) << "the axis";
    EXPECT_NE(with([](FigureOptions& o, LayerCurves&) { o.linePt = 0.9; }), QStringList()) << "the line";
    EXPECT_NE(with([](FigureOptions& o, LayerCurves&) { o.fontPt = 8.5; }), QStringList()) << "the letters";
    EXPECT_NE(with([](FigureOptions&, LayerCurves& c) { c.name = QStringLiteral("model.layers.1.self_attn.q_proj"); }), QStringList()) << "the legend";
}

TEST_F(FigureDifference, ColoursAndDashes) {
    EXPECT_NE(with("#0072b2", "#0072b3"), QStringList());
    EXPECT_NE(with(", dash ", ", dash 1-"), QStringList());
}

TEST_F(FigureDifference, OtherMetricsOfTheFontAreNone) {
    FigureStructure wider = before_;
    for (testing::FigureShape& shape : wider)
        for (QPointF& p : shape.points) p = {p.x() * 0.99 + 1.5, p.y()};
    EXPECT_EQ(testing::differences(before_, wider), QStringList()) << "longer labels leave less room";
    for (testing::FigureShape& shape : wider)
        for (QPointF& p : shape.points) p.ry() += 5;
    EXPECT_NE(testing::differences(before_, wider), QStringList());
}

}  // namespace
}  // namespace owq
