// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/arguments.h"

#include <QCoreApplication>
#include <functional>
#include <map>

namespace owq {
namespace {

constexpr double kLargestMm = 2000, kLargestPt = 100, kLargestDpi = 10000;

bool number(const QString& text, double largest, double& value) {
    bool fine = false;
    const double v = text.toDouble(&fine);
    if (!fine || !(v > 0) || v > largest) return false;
    value = v;
    return true;
}

}  // namespace

Arguments parseArguments(const QStringList& given) {
    Arguments a;
    const auto wrong = [&a](const QString& message) {
        a.mode = Arguments::Mode::wrong;
        a.message = message;
        return a;
    };
    const std::map<QString, QString*> texts{{QStringLiteral("--render-figure"), &a.directory},
                                            {QStringLiteral("--kind"), &a.kind},
                                            {QStringLiteral("--compare"), &a.compare},
                                            {QStringLiteral("--columns-by"), &a.columnsBy},
                                            {QStringLiteral("--out"), &a.out},
                                            {QStringLiteral("--csv"), &a.csv}};
    const std::map<QString, std::pair<double, double*>> numbers{
        {QStringLiteral("--width-mm"), {kLargestMm, &a.widthMm}},
        {QStringLiteral("--height-mm"), {kLargestMm, &a.heightMm}},
        {QStringLiteral("--font-pt"), {kLargestPt, &a.fontPt}},
        {QStringLiteral("--line-pt"), {kLargestPt, &a.linePt}},
        {QStringLiteral("--dpi"), {kLargestDpi, &a.dpi}}};
    QString figureOption;
    for (int i = 0; i < given.size(); ++i) {
        QString option = given[i], value;
        if (option == QLatin1String("--help") || option == QLatin1String("-h")) {
            a.mode = Arguments::Mode::help;
            return a;
        }
        if (option == QLatin1String("--version")) {
            a.mode = Arguments::Mode::version;
            return a;
        }
        if (!option.startsWith(QLatin1Char('-'))) {
            if (!a.path.isEmpty())
                return wrong(QStringLiteral("one model or run can be opened at a time: %1").arg(option));
            a.path = option;
            continue;
        }
        if (option == QLatin1String("--share")) {
            a.share = true;
            figureOption = option;
            continue;
        }
        const qsizetype equals = option.indexOf(QLatin1Char('='));
        if (equals > 0) value = option.mid(equals + 1), option.truncate(equals);
        const auto text = texts.find(option);
        const auto size = numbers.find(option);
        const bool layer = option == QLatin1String("--layer");
        if (text == texts.end() && size == numbers.end() && !layer)
            return wrong(QStringLiteral("unknown option %1").arg(option));
        if (equals <= 0) {
            if (i + 1 >= given.size()) return wrong(QStringLiteral("%1 needs a value").arg(option));
            value = given[++i];
        }
        if (layer)
            a.layers << value;
        else if (text != texts.end())
            *text->second = value;
        else if (!number(value, size->second.first, *size->second.second))
            return wrong(QStringLiteral("%1 needs a number above 0 and up to %2, not %3")
                             .arg(option)
                             .arg(size->second.first)
                             .arg(value));
        if (option == QLatin1String("--render-figure"))
            a.mode = Arguments::Mode::renderFigure;
        else
            figureOption = option;
    }
    if (a.mode == Arguments::Mode::window)
        return figureOption.isEmpty()
                   ? a
                   : wrong(QStringLiteral("%1 goes with --render-figure").arg(figureOption));
    if (!a.path.isEmpty()) return wrong(QStringLiteral("unexpected argument %1").arg(a.path));
    if (a.directory.isEmpty()) return wrong(QStringLiteral("--render-figure needs a folder"));
    for (const char* needed : {"--kind", "--out"})
        if (texts.at(QLatin1String(needed))->isEmpty())
            return wrong(QStringLiteral("--render-figure needs %1").arg(QLatin1String(needed)));
    return a;
}

QString helpText() {
    return QStringLiteral(
        "Usage: owq-workbench [MODEL]\n"
        "       owq-workbench --render-figure DIR --kind KIND [--layer NAME]... --out FILE [options]\n"
        "\n"
        "Opens the window on MODEL: a checkpoint folder, index or shard, a run directory or a packed model.\n"
        "\n"
        "  --render-figure DIR  write one plot of a run directory or an analysis folder to a file, without a "
        "window\n"
        "  --kind KIND          hessian, column-range, cumulative-error, sensitivity or error-saved (column-range also of "
        "a checkpoint);\n"
        "                       speed of the file that owq bench --json wrote\n"
        "                       DIR may be a project file, too: its runs, layers, order of columns and budget, as the window shows them\n"
        "  --layer NAME         full name of a linear, once for each curve; error-saved shows all without it\n"
        "  --compare DIR        second run, its curves as B in the same axes\n"
        "  --columns-by ORDER   index, rank (by influence) or hessian\n"
        "  --share              cumulative error as a share of each curve's total\n"
        "  --out FILE           .pdf, .svg or .png\n"
        "  --width-mm N         85\n"
        "  --height-mm N        60\n"
        "  --font-pt N          8\n"
        "  --line-pt N          0.8\n"
        "  --dpi N              600, of a PNG\n"
        "  --csv FILE           the plotted numbers as well\n"
        "  --version            version\n"
        "  --help               this text\n"
        "\n"
        "Exit code: 0 done, 1 failed, 2 wrong usage.\n");
}

}  // namespace owq
