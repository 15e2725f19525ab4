// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>
#include <array>
#include <optional>
#include <vector>

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;
class QSpinBox;

namespace owq {

/// A prompt, two models to ask, and their answers beside each other as they come. When it is blind, a person judges which is better.
class TryPanel : public QWidget {
    Q_OBJECT
public:
    enum class Side { left, right };
    enum class Verdict { left, equal, right };
    Q_ENUM(Verdict)

    /// What can be asked: a model, perhaps with the weak columns of a task.
    struct Choice {
        QString name, model, task;
        bool operator==(const Choice&) const = default;
    };
    struct Request {
        Choice first, second;  ///< second without a model: only the first is asked
        QString prompt;
        int maxTokens = 64;
        double temperature = 0.7, topP = 0.9;  ///< the paper's nucleus settings
        quint64 seed = 0;
        bool blind = false;
        bool secondChosen = false;  ///< by a person; else the newest run stands there
        bool both() const { return !second.model.isEmpty(); }
    };
    explicit TryPanel(QWidget* parent = nullptr);

    /// Keeps what is chosen where it still exists. At first the two are the first of the list and the last.
    void setChoices(std::vector<Choice> choices);
    /// Puts the model with the task beside the first, where it is among the choices.
    void chooseTask(const QString& model, const QString& task);
    Request request() const;
    /// Models that are not there yet are chosen when they come.
    void setRequest(const Request& request);
    bool isBlind() const;

    /// Both answers empty but for the prompt; the right one is shown for two.
    void begin(const QString& prompt, bool both);
    void setTitle(Side side, const QString& title);
    void addText(Side side, const QString& text);
    void setStatus(Side side, const QString& status);
    void setRunning(bool running);
    void setJudgeable(bool judgeable);
    void setTally(const QString& text, bool savable);
    void focusPrompt();
    QString answer(Side side = Side::left) const;

Q_SIGNALS:
    void generateWanted(const TryPanel::Request& request);
    void stopWanted();
    void judged(TryPanel::Verdict verdict);
    void saveWanted();
    void taskWanted();
    void chosen();  ///< another model, or blind or not

private:
    struct Pane {
        QWidget* widget;
        QLabel *title, *status;
        QPlainTextEdit* answer;
    };
    Pane makePane(const QString& name, const char* object);
    QWidget* makeSettings();
    QWidget* makeVerdict();
    void go();
    void refresh();
    int placeOf(const Choice& choice) const;  ///< -1: not there
    void takeWanted();

    std::vector<Choice> choices_;
    std::optional<Choice> wantedFirst_, wantedSecond_;  ///< to be chosen when they are there
    QLineEdit* prompt_;
    QPushButton* go_;
    QComboBox *first_, *second_;
    QSpinBox *tokens_, *seed_;
    QDoubleSpinBox *temperature_, *topP_;
    QCheckBox* blind_;
    std::array<Pane, 2> panes_;
    QWidget* verdict_ = nullptr;
    std::array<QPushButton*, 3> verdicts_{};
    QPushButton* save_ = nullptr;
    QLabel* tally_ = nullptr;
    bool running_ = false, ownSecond_ = false;
};

}  // namespace owq
