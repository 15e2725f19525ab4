// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;
class QSpinBox;

namespace owq {

/// A prompt, the model to ask, and its answer as it comes.
class TryPanel : public QWidget {
    Q_OBJECT
public:
    struct Request {
        QString model, prompt;
        int maxTokens = 64;
        double temperature = 0.7, topP = 0.9;  ///< the paper's nucleus settings
        quint64 seed = 0;
    };
    explicit TryPanel(QWidget* parent = nullptr);

    void setModels(const QStringList& names,
                   const QStringList& paths);  ///< keeps the choice where it still exists
    void setModel(const QString& path);
    void begin(const QString& prompt);
    void addText(const QString& text);
    void end(const QString& status);
    QString answer() const;

Q_SIGNALS:
    void generateWanted(const TryPanel::Request& request);
    void stopWanted();

private:
    void go();
    QComboBox* model_;
    QLineEdit* prompt_;
    QPushButton* go_;
    QPlainTextEdit* answer_;
    QSpinBox* tokens_;
    QDoubleSpinBox *temperature_, *topP_;
    QLabel* status_;
    bool running_ = false;
};

}  // namespace owq
