// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/workbench/help_controller.h"

#include <QAction>
#include <QApplication>
#include <QMenu>
#include <QMessageBox>

#include "app/workbench/actions.h"
#include "app/workbench/sample.h"
#include "widgets/help/help_window.h"

namespace owq {
namespace {

constexpr const char* kTopic = "helpTopic";

struct Key {
    const char *keys, *what;
};
/// Keys that are no commands of the menus.
const Key kPlotKeys[] = {{"← →", QT_TR_NOOP("move the crosshair; Shift: ten columns")}, {"↑ ↓", QT_TR_NOOP("choose the curve")},
                         {"Enter", QT_TR_NOOP("select the column everywhere")},          {"[ ]", QT_TR_NOOP("fewer or more weak columns")},
                         {"P", QT_TR_NOOP("pin a reference; then differences are shown")}, {"+ −", QT_TR_NOOP("zoom")},
                         {"Page Up, Page Down", QT_TR_NOOP("pan")},                       {"Backspace", QT_TR_NOOP("one zoom back")},
                         {"Home", QT_TR_NOOP("show all")},                                {"Ctrl+T", QT_TR_NOOP("the numbers as a table")},
                         {"Ctrl+C", QT_TR_NOOP("copy the visible data")},
                         {"Ctrl+Shift+C", QT_TR_NOOP("save the visible data as CSV")},    {"Ctrl+G", QT_TR_NOOP("export this plot as a figure")},
                         {"%", QT_TR_NOOP("cumulative error as a share of the total")}};
const Key kBudgetKeys[] = {{"F2, Enter", QT_TR_NOOP("edit the cell; in all selected rows")}, {"+ −", QT_TR_NOOP("two weak columns more or fewer")},
                           {"K", QT_TR_NOOP("keep the layer as it is, or quantize it")},     {"L", QT_TR_NOOP("lock or unlock")},
                           {"Ctrl+Shift+B", QT_TR_NOOP("allocate greedily by the analysis")}, {"F8", QT_TR_NOOP("allocate greedily by measured loss")}};

QString row(const QString& keys, const QString& what) {
    return QStringLiteral("<tr><td style='padding-right:18px'><b>%1</b></td><td>%2</td></tr>").arg(keys.toHtmlEscaped(), what.toHtmlEscaped());
}

template <size_t n>
QString table(const QString& title, const Key (&keys)[n]) {
    QString html = QStringLiteral("<h4>%1</h4><table cellpadding='2'>").arg(title);
    for (const Key& key : keys) html += row(QString::fromUtf8(key.keys), QObject::tr(key.what));
    return html + QStringLiteral("</table>");
}

}  // namespace

HelpController::HelpController(QWidget& window, const Actions& actions) : QObject(&window), window_(window), actions_(actions) {}

void HelpController::setTopic(QWidget* widget, const char* topic) { widget->setProperty(kTopic, QLatin1String(topic)); }

void HelpController::showHere() {
    for (const QWidget* widget = QApplication::focusWidget(); widget; widget = widget->parentWidget())
        if (const QString topic = widget->property(kTopic).toString(); !topic.isEmpty()) return showTopic(topic);
    showTopic(QStringLiteral("window"));
}

void HelpController::showTopic(const QString& topic) {
    if (!help_) help_ = new HelpWindow(helpFolder(), &window_);
    help_->showTopic(topic);
    help_->show();
    help_->raise();
    help_->activateWindow();
}

void HelpController::showShortcuts() {
    QString commands;
    for (const QAction* action : actions_.all())
        if (!action->shortcut().isEmpty())
            commands += row(action->shortcut().toString(QKeySequence::NativeText), action->text().remove(QLatin1Char('&')));
    const QString html = QStringLiteral("<table><tr><td valign='top'><h4>%1</h4><table cellpadding='2'>%2</table></td>"
                                        "<td width='40'></td><td valign='top'>%3%4</td></tr></table>")
                             .arg(tr("Commands"), commands, table(tr("In a plot"), kPlotKeys), table(tr("In the budget"), kBudgetKeys));
    auto* box = new QMessageBox(QMessageBox::NoIcon, tr("Keyboard shortcuts"), html, QMessageBox::Close, &window_);
    box->setObjectName(QStringLiteral("shortcutSheet"));
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setModal(false);
    box->show();
}

void HelpController::showAbout() {
    auto* box = new QMessageBox(
        QMessageBox::NoIcon, tr("About OWQ Workbench"),
        tr("<h3>OWQ Workbench %1</h3><p>Outlier-aware weight quantization of language models.</p>"
           "<p>Free software under the GNU General Public License, version 3 or later.</p>")
            .arg(QCoreApplication::applicationVersion()),
        QMessageBox::Close, &window_);
    box->setIconPixmap(window_.windowIcon().pixmap(64, 64));
    box->setAttribute(Qt::WA_DeleteOnClose);
    box->setModal(false);
    box->show();
}

}  // namespace owq
