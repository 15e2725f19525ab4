// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/theme/system_look.h"

#include <QGuiApplication>
#include <QPalette>
#include <QStyleHints>
#include <utility>
#ifdef OWQ_WITH_DBUS
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QDBusVariant>
#endif

#include "widgets/theme/theme.h"

namespace owq {

SystemLook::SystemLook(QObject* parent) : QObject(parent), dark_(Theme::isDark(QGuiApplication::palette())) {
#if QT_VERSION >= QT_VERSION_CHECK(6, 5, 0)
    const auto read = [] { return QGuiApplication::styleHints()->colorScheme() == Qt::ColorScheme::Dark; };
    dark_ = read();
    connect(QGuiApplication::styleHints(), &QStyleHints::colorSchemeChanged, this,
            [this, read] { set(read()); });
#elif defined(OWQ_WITH_DBUS)
    askPortal();
#endif
}

void SystemLook::set(bool dark) {
    if (std::exchange(dark_, dark) != dark) Q_EMIT changed();
}

#ifdef OWQ_WITH_DBUS
namespace {

const auto kService = QStringLiteral("org.freedesktop.portal.Desktop");
const auto kPath = QStringLiteral("/org/freedesktop/portal/desktop");
const auto kInterface = QStringLiteral("org.freedesktop.portal.Settings");
const auto kGroup = QStringLiteral("org.freedesktop.appearance");
const auto kKey = QStringLiteral("color-scheme");

/// 1: dark is preferred, 2: light, 0: no preference. The value may come wrapped in one more variant.
bool preferredDark(QVariant value) {
    while (value.canConvert<QDBusVariant>()) value = value.value<QDBusVariant>().variant();
    return value.toUInt() == 1;
}

}  // namespace

void SystemLook::askPortal() {
    // Without an address the library would start a bus of its own, and wait for it.
    if (!qEnvironmentVariableIsSet("DBUS_SESSION_BUS_ADDRESS")) return;
    QDBusConnection bus = QDBusConnection::sessionBus();
    if (!bus.isConnected()) return;
    bus.connect(kService, kPath, kInterface, QStringLiteral("SettingChanged"), this,
                SLOT(portalChanged(QString, QString, QDBusVariant)));
    QDBusMessage read = QDBusMessage::createMethodCall(kService, kPath, kInterface, QStringLiteral("Read"));
    read << kGroup << kKey;
    auto* watcher = new QDBusPendingCallWatcher(bus.asyncCall(read, 2000), this);
    connect(watcher, &QDBusPendingCallWatcher::finished, this, [this](QDBusPendingCallWatcher* call) {
        const QDBusPendingReply<QDBusVariant> reply = *call;
        if (!reply.isError()) set(preferredDark(QVariant::fromValue(reply.value())));
        call->deleteLater();
    });
}

void SystemLook::portalChanged(const QString& group, const QString& key, const QDBusVariant& value) {
    if (group == kGroup && key == kKey) set(preferredDark(value.variant()));
}
#endif

}  // namespace owq
