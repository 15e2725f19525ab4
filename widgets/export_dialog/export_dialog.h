// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QDialog>
#include <functional>

class QComboBox;
class QLabel;
class QProgressBar;
class QPushButton;

namespace owq {

class PathEdit;

/// Format and destination of an export; then its progress and what the check after it found.
class ExportDialog : public QDialog {
    Q_OBJECT
public:
    struct Request {
        QString run, format, layout, out;
        QString task;  ///< weak columns to write in place of the run's own, empty: none
        bool replace = false;
    };

    ExportDialog(const QString& run, const QString& suggestedFolder, QWidget* parent = nullptr);
    void setExpectedBytes(double packed, double dense);
    /// Returns the bytes free at a path; asked for as the destination changes.
    void setFreeSpace(std::function<double(const QString&)> freeSpace);

    void setProgress(const QString& text, double fraction);
    void setDone(const QString& out, double bytes, const QStringList& verification,
                 const QString& loadableBy);
    void setFailed(const QString& happened, const QString& remedy);
    Request request() const;

Q_SIGNALS:
    void exportWanted(const ExportDialog::Request& request);
    void cancelWanted();

private:
    void refresh();
    void suggest();
    void setRunning(bool running);
    void showOutcome(const QString& html);
    QString run_, folder_, suggested_;
    std::function<double(const QString&)> freeSpace_;
    double packed_ = 0, dense_ = 0;
    QComboBox *format_, *layout_;
    QLabel *layoutLabel_, *about_, *space_, *outcome_, *status_;
    PathEdit *task_, *out_;
    QProgressBar* bar_;
    QPushButton *go_, *close_;
    bool running_ = false, finished_ = false;
};

}  // namespace owq
