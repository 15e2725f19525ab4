// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QObject>

class QDBusVariant;

namespace owq {

/// Whether the desktop asks for a dark look, now and while the program runs. Asks the desktop portal where Qt
/// itself does not know (before 6.5); without a portal the palette that Qt was started with decides.
class SystemLook : public QObject {
    Q_OBJECT
public:
    explicit SystemLook(QObject* parent = nullptr);
    bool dark() const { return dark_; }

Q_SIGNALS:
    void changed();

private:
    void set(bool dark);
#ifdef OWQ_WITH_DBUS
    void askPortal();
private Q_SLOTS:
    void portalChanged(const QString& group, const QString& key, const QDBusVariant& value);

private:
#endif
    bool dark_ = false;
};

}  // namespace owq
