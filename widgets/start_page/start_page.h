// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QStringList>
#include <QWidget>

class QLabel;
class QListWidget;
class QPushButton;

namespace owq {

/// What a person sees before anything is open: a drop area, the sample model, and what was open lately.
class StartPage : public QWidget {
    Q_OBJECT
public:
    explicit StartPage(QWidget* parent = nullptr);
    /// What is open behind it, to go back to; empty: nothing.
    void setOpen(const QString& name);
    /// Newest first. Entries that are gone are greyed.
    void setRecent(const QStringList& paths);
    /// Models in the Hugging Face cache, by name.
    void setCached(const QStringList& names, const QStringList& paths);
    /// While something is dragged over the window.
    void setDropping(bool dropping);
    /// Without it, what needs it is not offered: the lesson and the tour, too.
    void setSampleAvailable(bool available);

Q_SIGNALS:
    void backWanted();
    void openFolderWanted();
    void openFileWanted();
    void sampleWanted();
    void lessonWanted();
    void tourWanted();
    void openWanted(const QString& path);

private:
    QWidget* drop_;
    QListWidget *recent_, *cached_;
    QLabel *recentTitle_, *cachedTitle_;
    QPushButton *back_, *sample_, *lesson_, *tour_;
};

}  // namespace owq
