// SPDX-License-Identifier: GPL-3.0-or-later
#include <QApplication>
#include <QSettings>
#include <cstdio>

#include "app/workbench/arguments.h"
#include "app/workbench/main_window.h"
#include "app/workbench/render_figure.h"
#include "app/workbench/settings.h"
#include "core/base/memory.h"
#include "widgets/common/in_background.h"
#include "widgets/theme/theme.h"

int main(int argc, char** argv) {
    using owq::Arguments;
    owq::tuneAllocator();

    QCoreApplication::setApplicationName(QStringLiteral("OWQ Workbench"));
    QCoreApplication::setOrganizationName(QStringLiteral("owq-workbench"));
    QCoreApplication::setApplicationVersion(QStringLiteral(OWQ_VERSION));

    QStringList words;
    bool askedPlatform = false;
    for (int i = 1; i < argc; ++i) {
        const QString word = QString::fromLocal8Bit(argv[i]);
        // Qt's own options have one dash and, but for a few, a value.
        if (word == QLatin1String("-platform") || word == QLatin1String("-style") ||
            word == QLatin1String("-geometry")) {
            askedPlatform |= word == QLatin1String("-platform");
            ++i;
            continue;
        }
        words << word;
    }
    const Arguments arguments = owq::parseArguments(words);
    switch (arguments.mode) {
        case Arguments::Mode::version:
            std::printf("owq-workbench %s\n", OWQ_VERSION);
            return 0;
        case Arguments::Mode::help:
            std::fputs(owq::helpText().toUtf8().constData(), stdout);
            return 0;
        case Arguments::Mode::wrong:
            std::fprintf(stderr, "owq-workbench: %s\nTry owq-workbench --help\n",
                         arguments.message.toUtf8().constData());
            return 2;
        case Arguments::Mode::renderFigure:
            if (!askedPlatform && !qEnvironmentVariableIsSet("QT_QPA_PLATFORM"))
                qputenv("QT_QPA_PLATFORM", "offscreen");
            // Qt's remarks about the desktop say nothing to a person who asked for a file; errors are ours to tell.
            qInstallMessageHandler([](QtMsgType type, const QMessageLogContext&, const QString& text) {
                if (type == QtCriticalMsg || type == QtFatalMsg) std::fprintf(stderr, "%s\n", text.toUtf8().constData());
            });
            break;
        case Arguments::Mode::window:
            break;
    }
    QGuiApplication::setHighDpiScaleFactorRoundingPolicy(Qt::HighDpiScaleFactorRoundingPolicy::PassThrough);
    QGuiApplication::setDesktopFileName(QStringLiteral("owq-workbench"));
    QApplication application(argc, argv);
    const owq::BackgroundEnd end;
    if (arguments.mode == Arguments::Mode::renderFigure)
        return owq::renderFigureCommand(arguments, owq::realJobs());

    owq::Theme theme(application);
    const QString look = QSettings().value(QLatin1String(owq::keys::theme)).toString();
    theme.choose(look == QLatin1String("dark")    ? owq::ThemeChoice::dark
                 : look == QLatin1String("light") ? owq::ThemeChoice::light
                                                  : owq::ThemeChoice::system);
    owq::MainWindow window(owq::realJobs(), &theme);
    window.show();
    if (!arguments.path.isEmpty()) window.open(arguments.path);
    return QApplication::exec();
}
