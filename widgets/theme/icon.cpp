// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/theme/icon.h"

#include <QFile>
#include <QGuiApplication>
#include <QIconEngine>
#include <QPainter>
#include <QPalette>
#include <QPixmap>
#include <QPushButton>
#include <QSvgRenderer>

#include "widgets/theme/primary_button.h"

// The icons sit in a static library, whose resources register only when asked to; the macro must stand
// outside namespaces.
static void registerIcons() {
    Q_INIT_RESOURCE(icons);
}

namespace owq {
namespace {

class SvgEngine : public QIconEngine {
public:
    SvgEngine(QByteArray svg, QPalette::ColorRole role) : svg_(std::move(svg)), normal_(role) {}

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
        const QPalette palette = QGuiApplication::palette();
        const auto group = mode == QIcon::Disabled ? QPalette::Disabled : QPalette::Active;
        const auto role = mode == QIcon::Selected   ? QPalette::HighlightedText
                          : mode == QIcon::Disabled ? QPalette::WindowText
                                                    : normal_;
        QByteArray svg = svg_;
        svg.replace("currentColor", palette.color(group, role).name().toLatin1());
        QSvgRenderer(svg).render(painter, rect);
    }
    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override {
        QPixmap pixmap(size);
        pixmap.fill(Qt::transparent);
        QPainter painter(&pixmap);
        painter.setRenderHint(QPainter::Antialiasing);
        paint(&painter, QRect(QPoint(), size), mode, state);
        return pixmap;
    }
    QIconEngine* clone() const override { return new SvgEngine(*this); }

private:
    QByteArray svg_;
    QPalette::ColorRole normal_;
};

QIcon iconIn(const QString& name, QPalette::ColorRole role) {
    static const bool registered = (registerIcons(), true);
    Q_UNUSED(registered)
    QFile file(QStringLiteral(":/icons/%1.svg").arg(name));
    if (!file.open(QIODevice::ReadOnly)) return {};
    return QIcon(new SvgEngine(file.readAll(), role));
}

}  // namespace

QIcon themedIcon(const QString& name, bool accent) {
    return iconIn(name, accent ? QPalette::Highlight : QPalette::WindowText);
}

void makePrimary(QPushButton* button, const QString& icon) {
    button->setProperty("primary", true);
    button->setIcon(iconIn(icon, QPalette::HighlightedText));
}

}  // namespace owq
