// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QFrame>
#include <functional>

class QHBoxLayout;
class QLabel;
class QToolButton;

namespace owq {

class IconLabel;

/// One inline message: what happened, where, what to do; with its own actions, "Copy details" and a close
/// button.
class MessageBar : public QFrame {
    Q_OBJECT
public:
    enum class Kind { info, warning, error };
    explicit MessageBar(QWidget* parent = nullptr);

    struct Message {
        Kind kind = Kind::error;
        QString happened, where, remedy;
        QString details;  ///< for the clipboard; empty: the three joined
    };
    void show(const Message& message);
    /// The same with a button, "Resume".
    void show(const Message& message, const QString& action, std::function<void()> act);
    QString text() const;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    Message message_;
    std::function<void()> act_;
    IconLabel* icon_;
    QLabel* text_;
    QToolButton *action_, *copy_, *close_;
};

}  // namespace owq
