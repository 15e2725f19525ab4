// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QWidget>

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QPushButton;
class QSpinBox;

namespace owq {

class LossPlot;
class PathEdit;

// Settings of a weak column tuning, its forecast and its course.
class TunePanel : public QWidget {
    Q_OBJECT
public:
    struct Request {
        QString model, data, validation, out;
        int epochs = 3, accumulate = 8, sequenceLength = 0;  // 0: the model's, at most 512
        double learningRate = 1e-3;
        quint64 seed = 0;
        bool anew = false;  // replaces what is in the folder
    };
    explicit TunePanel(QWidget* parent = nullptr);

    void setModels(const QStringList& names, const QStringList& paths);  // keeps the choice where it still exists
    Request request() const;
    void setRequest(const Request& request);  // its model is chosen when it is there
    LossPlot& plot() { return *plot_; }

    void begin();
    void end(const QString& status);
    void setStatus(const QString& text);
    void setForecast(const QString& text);
    bool running() const { return running_; }

Q_SIGNALS:
    void tuneWanted(const TunePanel::Request& request);
    void forecastWanted(const TunePanel::Request& request);
    void stopWanted();

private:
    void refresh();
    void suggestOut();

    QComboBox* model_;
    PathEdit *data_, *validation_, *out_;
    QSpinBox *epochs_, *accumulate_, *length_, *seed_;
    QDoubleSpinBox* rate_;
    QPushButton *forecast_, *anew_, *start_;
    QLabel *status_, *forecastText_;
    LossPlot* plot_;
    QString suggested_, wanted_;
    bool running_ = false;
};

}  // namespace owq
