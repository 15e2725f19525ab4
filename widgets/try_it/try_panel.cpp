// SPDX-License-Identifier: GPL-3.0-or-later
#include "widgets/try_it/try_panel.h"

#include <QBoxLayout>
#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFileInfo>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QSplitter>
#include <algorithm>
#include <limits>

#include "widgets/theme/icon.h"

namespace owq {
namespace {

QComboBox* modelBox(const QString& name, const QString& tip, const char* object) {
    auto* box = new QComboBox;
    box->setAccessibleName(name);
    box->setToolTip(tip);
    box->setObjectName(QLatin1String(object));
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    box->setMinimumContentsLength(14);
    return box;
}

QDoubleSpinBox* numberBox(double lower, double upper, double step, double value, const QString& prefix, const QString& tip) {
    auto* box = new QDoubleSpinBox;
    box->setRange(lower, upper);
    box->setSingleStep(step);
    box->setValue(value);
    box->setPrefix(prefix);
    box->setToolTip(tip);
    box->setAccessibleName(tip);
    return box;
}

}  // namespace

TryPanel::TryPanel(QWidget* parent)
    : QWidget(parent),
      prompt_(new QLineEdit),
      go_(new QPushButton(themedIcon(QStringLiteral("run")), tr("&Write"))),
      panes_{{makePane(tr("Left answer"), "leftAnswer"), makePane(tr("Right answer"), "rightAnswer")}} {
    prompt_->setPlaceholderText(tr("The beginning of a text; the models go on from there"));
    prompt_->setAccessibleName(tr("Prompt"));
    prompt_->setObjectName(QStringLiteral("prompt"));
    go_->setObjectName(QStringLiteral("write"));
    go_->setToolTip(tr("Let the models go on, one after the other (Enter)"));
    auto* top = new QHBoxLayout;
    top->setSpacing(6);
    top->addWidget(prompt_, 1);
    top->addWidget(go_);
    auto* answers = new QSplitter;
    answers->setChildrenCollapsible(false);
    for (const Pane& pane : panes_) answers->addWidget(pane.widget);
    answers->setSizes({1000, 1000});
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 2, 8, 6);
    layout->setSpacing(6);
    layout->addLayout(top);
    layout->addWidget(makeSettings());
    layout->addWidget(answers, 1);
    layout->addWidget(makeVerdict());
    setMinimumWidth(1);  // narrow windows squeeze the controls rather than grow
    connect(go_, &QPushButton::clicked, this, [this] {
        if (running_)
            Q_EMIT stopWanted();
        else
            go();
    });
    connect(prompt_, &QLineEdit::returnPressed, this, &TryPanel::go);
    connect(prompt_, &QLineEdit::textChanged, this, &TryPanel::refresh);
    connect(first_, &QComboBox::activated, this, [this] { wantedFirst_.reset(); });
    connect(second_, &QComboBox::activated, this, [this] {
        ownSecond_ = true;
        wantedSecond_.reset();
    });
    for (QComboBox* box : {first_, second_})
        connect(box, &QComboBox::currentIndexChanged, this, [this] {
            refresh();
            Q_EMIT chosen();
        });
    connect(blind_, &QCheckBox::toggled, this, [this] {
        refresh();
        Q_EMIT chosen();
    });
    setTally({}, false);
    setJudgeable(false);
    refresh();
}

TryPanel::Pane TryPanel::makePane(const QString& name, const char* object) {
    Pane pane{new QWidget, new QLabel, new QLabel, new QPlainTextEdit};
    QFont bold = font();
    bold.setBold(true);
    pane.title->setFont(bold);
    pane.title->setTextFormat(Qt::PlainText);
    pane.status->setTextFormat(Qt::PlainText);
    pane.status->setForegroundRole(QPalette::PlaceholderText);
    for (QLabel* label : {pane.title, pane.status}) label->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    pane.status->setWordWrap(true);
    pane.answer->setReadOnly(true);
    pane.answer->setObjectName(QLatin1String(object));
    pane.answer->setAccessibleName(name);
    pane.answer->setPlaceholderText(tr("What the model writes appears here."));
    auto* layout = new QVBoxLayout(pane.widget);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(3);
    layout->addWidget(pane.title);
    layout->addWidget(pane.answer, 1);
    layout->addWidget(pane.status);
    return pane;
}

QWidget* TryPanel::makeSettings() {
    first_ = modelBox(tr("Model to ask"), tr("The original or one of its finished runs, perhaps with a task beside it"), "firstModel");
    second_ = modelBox(tr("Model to ask beside it"), tr("The other model; it answers the same prompt"), "secondModel");
    tokens_ = new QSpinBox;
    tokens_->setRange(1, 100000);
    tokens_->setValue(64);
    tokens_->setSuffix(tr(" tokens"));
    tokens_->setToolTip(tr("Longest answer"));
    tokens_->setAccessibleName(tokens_->toolTip());
    temperature_ = numberBox(0, 5, 0.1, 0.7, tr("T "), tr("Temperature; 0 takes the likeliest token every time"));
    topP_ = numberBox(0.01, 1, 0.05, 0.9, tr("p "), tr("Nucleus: the likeliest tokens that hold this share of the probability"));
    seed_ = new QSpinBox;
    seed_->setRange(0, std::numeric_limits<int>::max());
    seed_->setPrefix(tr("seed "));
    seed_->setObjectName(QStringLiteral("trySeed"));
    seed_->setToolTip(tr("Decides what is drawn, and in a blind test which model is on which side"));
    seed_->setAccessibleName(tr("Seed"));
    blind_ = new QCheckBox(tr("&Blind"));
    blind_->setObjectName(QStringLiteral("blind"));
    blind_->setToolTip(tr("Hide which model is on which side, show both answers when both are done, and say which is better"));
    auto* task = new QPushButton(tr("Task…"));
    const QKeySequence keys(Qt::ALT | Qt::Key_4);
    task->setShortcut(keys);
    task->setObjectName(QStringLiteral("chooseTask"));
    task->setToolTip(tr("Choose a task file that lies anywhere, to ask with it the model that it was tuned on (%1)").arg(keys.toString(QKeySequence::NativeText)));
    connect(task, &QPushButton::clicked, this, &TryPanel::taskWanted);
    auto* with = new QLabel(tr("and"));
    auto* row = new QWidget;
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(6);
    layout->addWidget(first_, 2);
    layout->addWidget(with);
    layout->addWidget(second_, 2);
    for (QWidget* w : std::initializer_list<QWidget*>{task, tokens_, temperature_, topP_, seed_, blind_}) layout->addWidget(w);
    layout->addStretch(1);
    return row;
}

QWidget* TryPanel::makeVerdict() {
    verdict_ = new QWidget;
    auto* layout = new QHBoxLayout(verdict_);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(6);
    const struct {
        QString text, object;
        Qt::Key key;
    } buttons[] = {{tr("Left is better"), QStringLiteral("leftBetter"), Qt::Key_1},
                   {tr("Equal"), QStringLiteral("equal"), Qt::Key_2},
                   {tr("Right is better"), QStringLiteral("rightBetter"), Qt::Key_3}};
    for (size_t i = 0; i < verdicts_.size(); ++i) {
        auto* button = verdicts_[i] = new QPushButton(buttons[i].text);
        const QKeySequence keys(Qt::ALT | buttons[i].key);
        button->setShortcut(keys);
        button->setObjectName(buttons[i].object);
        button->setToolTip(QStringLiteral("%1 (%2)").arg(buttons[i].text, keys.toString(QKeySequence::NativeText)));
        connect(button, &QPushButton::clicked, this, [this, i] { Q_EMIT judged(Verdict(int(i))); });
        layout->addWidget(button);
    }
    tally_ = new QLabel;
    tally_->setObjectName(QStringLiteral("tally"));
    tally_->setTextFormat(Qt::PlainText);
    tally_->setWordWrap(true);
    tally_->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    save_ = new QPushButton(themedIcon(QStringLiteral("save")), tr("Save &verdicts…"));
    save_->setObjectName(QStringLiteral("saveVerdicts"));
    save_->setToolTip(tr("Write prompts, answers and verdicts into a folder that owq judge counts; later verdicts follow by themselves"));
    connect(save_, &QPushButton::clicked, this, &TryPanel::saveWanted);
    layout->addSpacing(6);
    layout->addWidget(tally_, 1);
    layout->addWidget(save_);
    return verdict_;
}

void TryPanel::go() {
    if (running_ || !go_->isEnabled()) return;
    const Request r = request();
    ownSecond_ |= r.both();  // a run that ends meanwhile does not take its place
    Q_EMIT generateWanted(r);
}

void TryPanel::refresh() {
    const bool both = request().both();
    blind_->setEnabled(both);
    go_->setEnabled(running_ || (first_->currentIndex() >= 0 && !prompt_->text().isEmpty()));
    verdict_->setVisible(isBlind() || !tally_->text().isEmpty());
}

bool TryPanel::isBlind() const {
    return blind_->isChecked() && blind_->isEnabled();
}

TryPanel::Request TryPanel::request() const {
    const auto at = [this](int i) { return i >= 0 && size_t(i) < choices_.size() ? choices_[size_t(i)] : Choice(); };
    Request r;
    r.first = at(first_->currentIndex());
    r.second = at(second_->currentIndex() - 1);  // the first says nothing
    r.prompt = prompt_->text();
    r.maxTokens = tokens_->value();
    r.temperature = temperature_->value();
    r.topP = topP_->value();
    r.seed = quint64(seed_->value());
    r.blind = isBlind() && r.both();
    r.secondChosen = ownSecond_;
    return r;
}

void TryPanel::setRequest(const Request& r) {
    prompt_->setText(r.prompt);
    tokens_->setValue(r.maxTokens);
    temperature_->setValue(r.temperature);
    topP_->setValue(r.topP);
    seed_->setValue(int(std::min<quint64>(r.seed, std::numeric_limits<int>::max())));
    blind_->setChecked(r.blind);
    wantedFirst_ = r.first;
    ownSecond_ = false;
    wantedSecond_ = r.secondChosen ? std::optional(r.second) : std::nullopt;
    takeWanted();
}

void TryPanel::takeWanted() {
    if (const int place = wantedFirst_ ? placeOf(*wantedFirst_) : -1; place >= 0) {
        wantedFirst_.reset();
        first_->setCurrentIndex(place);
    }
    if (!wantedSecond_) return;
    const int place = placeOf(*wantedSecond_);
    if (place < 0 && !wantedSecond_->model.isEmpty()) return;
    wantedSecond_.reset();
    ownSecond_ = true;
    second_->setCurrentIndex(place + 1);  // the first says nothing
}

void TryPanel::setChoices(std::vector<Choice> choices) {
    if (choices == choices_) return;
    const Request before = request();
    choices_ = std::move(choices);
    {
        const QSignalBlocker quietFirst(first_), quietSecond(second_);
        first_->clear();
        second_->clear();
        second_->addItem(tr("nothing beside it"));
        for (const Choice& choice : choices_)
            for (QComboBox* box : {first_, second_}) {
                box->addItem(choice.name);
                box->setItemData(box->count() - 1, choice.task.isEmpty() ? choice.model : choice.model + QLatin1Char('\n') + choice.task, Qt::ToolTipRole);
            }
        first_->setCurrentIndex(choices_.empty() ? -1 : std::max(0, placeOf(before.first)));
        const int kept = before.both() ? placeOf(before.second) : -1;
        if (kept < 0 && before.both()) ownSecond_ = false;  // what was chosen is gone
        // Until a person chooses, the newest run without a task stands beside the original.
        int newest = 0;
        for (size_t i = 1; i < choices_.size(); ++i)
            if (choices_[i].task.isEmpty()) newest = int(i);
        second_->setCurrentIndex(ownSecond_ ? kept + 1 : newest > 0 ? newest + 1 : 0);
        takeWanted();
    }
    refresh();
    Q_EMIT chosen();
}

int TryPanel::placeOf(const Choice& choice) const {
    const auto it = std::find_if(choices_.begin(), choices_.end(), [&](const Choice& other) { return other.model == choice.model && other.task == choice.task; });
    return it == choices_.end() ? -1 : int(it - choices_.begin());
}

void TryPanel::chooseTask(const QString& model, const QString& task) {
    const auto it = std::find_if(choices_.begin(), choices_.end(), [&](const Choice& c) { return c.model == model && !c.task.isEmpty() && QFileInfo(c.task) == QFileInfo(task); });
    if (it == choices_.end()) return;
    ownSecond_ = true;
    second_->setCurrentIndex(int(it - choices_.begin()) + 1);  // the first says nothing
}

void TryPanel::begin(const QString& prompt, bool both) {
    panes_[1].widget->setVisible(both);
    for (const Pane& pane : panes_) {
        pane.answer->setPlainText(prompt);
        pane.status->clear();
    }
}

void TryPanel::setTitle(Side side, const QString& title) {
    panes_[size_t(side)].title->setText(title);
    panes_[size_t(side)].title->setToolTip(title);
}

void TryPanel::addText(Side side, const QString& text) {
    QPlainTextEdit* answer = panes_[size_t(side)].answer;
    answer->moveCursor(QTextCursor::End);
    answer->insertPlainText(text);
    answer->moveCursor(QTextCursor::End);
}

void TryPanel::setStatus(Side side, const QString& status) {
    panes_[size_t(side)].status->setText(status);
}

void TryPanel::setRunning(bool running) {
    running_ = running;
    go_->setText(running ? tr("&Stop") : tr("&Write"));
    go_->setIcon(themedIcon(running ? QStringLiteral("stop") : QStringLiteral("run")));
    refresh();
}

void TryPanel::setJudgeable(bool judgeable) {
    for (QPushButton* button : verdicts_) button->setEnabled(judgeable);
}

void TryPanel::setTally(const QString& text, bool savable) {
    tally_->setText(text);
    save_->setEnabled(savable);
    refresh();
}

void TryPanel::focusPrompt() {
    prompt_->setFocus();
    prompt_->selectAll();
}

QString TryPanel::answer(Side side) const {
    return panes_[size_t(side)].answer->toPlainText();
}

}  // namespace owq
