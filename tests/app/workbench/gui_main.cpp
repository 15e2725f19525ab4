// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <QSettings>
#include <QStandardPaths>
#include <QTemporaryDir>

#include "tests/app/workbench/timed_application.h"
#include "widgets/common/in_background.h"
#include "widgets/theme/theme.h"

/// Settings and documents of the tests go to a folder of their own.
int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    QTemporaryDir home;
    qputenv("HOME", home.path().toUtf8());
    qputenv("XDG_CONFIG_HOME", (home.path() + QStringLiteral("/config")).toUtf8());
    qputenv("XDG_DATA_HOME", (home.path() + QStringLiteral("/data")).toUtf8());
    // ctest lists the cases without the environment that it runs them in, and a test needs no display.
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
    owq::TimedApplication application(argc, argv);
    const owq::BackgroundEnd end;
    QCoreApplication::setOrganizationName(QStringLiteral("owq-test"));
    QCoreApplication::setApplicationName(QStringLiteral("owq-test"));
    owq::Theme theme(application);
    return RUN_ALL_TESTS();
}
