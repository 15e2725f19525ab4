// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>

class QListWidget;
class QLabel;
class QTextBrowser;

namespace owq {

/// The help pages (Markdown files of one folder) with their headings beside them.
class HelpWindow : public QWidget {
    Q_OBJECT
public:
    explicit HelpWindow(const QString& folder, QWidget* parent = nullptr);

    /// "page" or "page#heading", the heading in lower case with - between its words. False when there is no such page or heading.
    bool showTopic(const QString& topic);
    QString topic() const { return topic_; }
    /// "how-many-weak-columns" of "How many weak columns".
    static QString slug(const QString& heading);

private:
    bool load(const QString& page);
    bool scrollTo(const QString& slug);
    void fillContents();
    QString folder_, page_, topic_;
    QListWidget* contents_;
    QTextBrowser* text_;
};

}  // namespace owq
