// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/start_page/start_page.h"

#include <QBoxLayout>
#include <QDir>
#include <QFileInfo>
#include <QLabel>
#include <QListWidget>
#include <QPushButton>

#include "widgets/start_page/drop_area.h"
#include "widgets/theme/icon.h"
#include "widgets/theme/icon_label.h"
#include "widgets/theme/primary_button.h"

namespace owq {
namespace {

QLabel* text(const QString& words, double scale, bool bold, bool faint = false) {
    auto* label = new QLabel(words);
    QFont font = label->font();
    font.setPointSizeF(font.pointSizeF() * scale);
    font.setWeight(bold ? QFont::DemiBold : QFont::Normal);
    label->setFont(font);
    if (faint) label->setForegroundRole(QPalette::PlaceholderText);
    return label;
}

IconLabel* picture(const QString& name, int size, bool accent) {
    auto* label = new IconLabel(size);
    label->setIcon(name, accent);
    return label;
}

QString shortPath(const QString& path) {
    const QString home = QDir::homePath();
    return path.startsWith(home + QLatin1Char('/')) ? QLatin1Char('~') + path.mid(home.size()) : path;
}

}  // namespace

StartPage::StartPage(QWidget* parent)
    : QWidget(parent),
      recent_(new QListWidget),
      cached_(new QListWidget),
      recentTitle_(text(tr("Recent"), 1.05, true)),
      cachedTitle_(text(tr("In the Hugging Face cache"), 1.05, true)) {
    auto* title = text(tr("OWQ Workbench"), 2.1, true);
    auto* subtitle = text(tr("See where a language model will suffer from quantization, and make a packed "
                             "model that does not."),
                          1.08, false, true);
    subtitle->setWordWrap(true);

    auto* area = new DropArea;
    drop_ = area;
    area->setAccessibleName(tr("Drop a model here, or press Enter to choose a folder"));
    area->setObjectName(QStringLiteral("dropArea"));
    auto* inside = new QVBoxLayout(area);
    inside->setContentsMargins(24, 34, 24, 34);
    inside->setSpacing(8);
    auto* headline = text(tr("Drop a model here"), 1.45, true);
    headline->setAlignment(Qt::AlignCenter);
    auto* detail =
        text(tr("A checkpoint folder, one of its files, a run directory or a packed model"), 1, false, true);
    detail->setAlignment(Qt::AlignCenter);
    inside->addStretch();
    inside->addWidget(picture(QStringLiteral("drop"), 52, true));
    inside->addWidget(headline);
    inside->addWidget(detail);
    inside->addStretch();
    for (QWidget* child : area->findChildren<QWidget*>())
        child->setAttribute(Qt::WA_TransparentForMouseEvents);
    connect(area, &DropArea::clicked, this, &StartPage::openFolderWanted);

    const auto button = [this](const QString& words, const char* icon, const QString& tip) {
        auto* b = new QPushButton(themedIcon(QLatin1String(icon)), words);
        b->setIconSize({18, 18});
        b->setMinimumHeight(38);
        b->setToolTip(tip);
        b->setAccessibleDescription(tip);
        return b;
    };
    back_ = button({}, "results", tr("Everything there is as it was left (Escape)"));
    back_->setObjectName(QStringLiteral("back"));
    connect(back_, &QPushButton::clicked, this, &StartPage::backWanted);
    sample_ = button(
        tr("Open the &sample model"), "sample",
        tr("A small language model that comes with the program: everything can be tried on it in seconds"));
    makePrimary(sample_, QStringLiteral("sample"));
    sample_->setObjectName(QStringLiteral("openSample"));
    auto* folder =
        button(tr("Open &folder…"), "open", tr("A checkpoint folder, a run directory or a packed model"));
    auto* file = button(tr("Open fi&le…"), "file", tr("A .safetensors, .bin or .pth file, or an index"));
    connect(sample_, &QPushButton::clicked, this, &StartPage::sampleWanted);
    connect(folder, &QPushButton::clicked, this, &StartPage::openFolderWanted);
    connect(file, &QPushButton::clicked, this, &StartPage::openFileWanted);
    auto* buttons = new QHBoxLayout;
    buttons->setSpacing(10);
    for (QPushButton* b : {sample_, folder, file}) buttons->addWidget(b, 1);

    lesson_ = button(tr("&Take the lesson"), "lesson", tr("See how a piece of a real layer is quantized, step by step"));
    tour_ = button(tr("Take the to&ur"), "tour", tr("A short walk through the window"));
    lesson_->setObjectName(QStringLiteral("takeLesson"));
    tour_->setObjectName(QStringLiteral("takeTour"));
    connect(lesson_, &QPushButton::clicked, this, &StartPage::lessonWanted);
    connect(tour_, &QPushButton::clicked, this, &StartPage::tourWanted);
    auto* learning = new QHBoxLayout;
    learning->setSpacing(10);
    for (QPushButton* b : {lesson_, tour_}) learning->addWidget(b, 1);

    recent_->setAccessibleName(tr("Recently opened"));
    cached_->setAccessibleName(tr("Models in the Hugging Face cache"));
    for (QListWidget* list : {recent_, cached_}) {
        list->setIconSize({20, 20});
        list->setSpacing(1);
        list->setFrameShape(QFrame::NoFrame);
        list->setStyleSheet(QStringLiteral(
            "QListWidget { background: transparent; border: none; } QListWidget::item { padding: 6px; "
            "border-radius: 6px; }"
            "QListWidget::item:hover { background: palette(midlight); color: palette(text); }"
            "QListWidget::item:selected { background: palette(midlight); color: palette(text); }"));
        list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
        list->setTextElideMode(Qt::ElideMiddle);
        const auto open = [this](QListWidgetItem* item) { Q_EMIT openWanted(item->data(Qt::UserRole).toString()); };
        connect(list, &QListWidget::itemActivated, this, open);
        connect(list, &QListWidget::itemClicked, this, open);
    }
    auto* lists = new QHBoxLayout;
    lists->setSpacing(24);
    for (const auto& [title, list] : {std::pair(recentTitle_, recent_), std::pair(cachedTitle_, cached_)}) {
        auto* half = new QVBoxLayout;
        half->addWidget(title);
        half->addWidget(list);
        lists->addLayout(half, 1);
    }

    auto* column = new QVBoxLayout;
    column->setSpacing(12);
    column->addStretch(2);
    column->addWidget(title);
    column->addWidget(subtitle);
    column->addSpacing(6);
    column->addWidget(back_);
    column->addWidget(area, 6);
    column->addLayout(buttons);
    column->addLayout(learning);
    column->addSpacing(12);
    column->addLayout(lists, 5);
    column->addStretch(1);
    auto* frame = new QWidget;
    frame->setLayout(column);
    frame->setMaximumWidth(880);
    area->setMinimumHeight(190);
    area->setMaximumHeight(300);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(40, 20, 40, 20);
    layout->addStretch(1);
    layout->addWidget(frame, 10);
    layout->addStretch(1);
    setOpen({});
    setRecent({});
    setCached({}, {});
}

void StartPage::setOpen(const QString& name) {
    QString shown = name;
    back_->setText(tr("Back to %1").arg(shown.replace(QLatin1Char('&'), QLatin1String("&&"))));
    back_->setShortcut(QKeySequence(Qt::Key_Escape));  // a text takes it away
    back_->setVisible(!name.isEmpty());
    if (!name.isEmpty()) back_->setFocus();
}

void StartPage::setRecent(const QStringList& paths) {
    recent_->clear();
    for (const QString& path : paths) {
        const QFileInfo info(path);
        auto* item =
            new QListWidgetItem(themedIcon(path.endsWith(QLatin1String(".owqproject")) ? QStringLiteral("save") : info.isDir() ? QStringLiteral("open") : QStringLiteral("file")),
                                QStringLiteral("%1\n%2").arg(info.fileName(), shortPath(info.path())));
        item->setData(Qt::UserRole, path);
        item->setToolTip(path);
        if (!info.exists()) {
            item->setFlags(Qt::NoItemFlags);
            item->setToolTip(tr("%1 is not there any more").arg(path));
        }
        recent_->addItem(item);
    }
    recent_->setVisible(!paths.isEmpty());
    recentTitle_->setVisible(!paths.isEmpty());
}

void StartPage::setCached(const QStringList& names, const QStringList& paths) {
    cached_->clear();
    for (qsizetype i = 0; i < names.size(); ++i) {
        auto* item = new QListWidgetItem(themedIcon(QStringLiteral("layers")), QStringLiteral("%1\n%2").arg(names[i], shortPath(paths[i])), cached_);
        item->setData(Qt::UserRole, paths[i]);
        item->setToolTip(paths[i]);
    }
    cached_->setVisible(!names.isEmpty());
    cachedTitle_->setVisible(!names.isEmpty());
}

void StartPage::setDropping(bool dropping) {
    static_cast<DropArea*>(drop_)->setDropping(dropping);
}
void StartPage::setSampleAvailable(bool available) {
    for (QPushButton* b : {sample_, lesson_, tour_}) b->setVisible(available);
}

}  // namespace owq
