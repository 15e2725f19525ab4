// SPDX-License-Identifier: Apache-2.0
// What the events of the GUI thread cost.
#pragma once
#include <QApplication>
#include <QElapsedTimer>
#include <QThread>
#include <cstdio>
#include <ctime>

namespace owq {

/// Times each event that comes from the event loop, with all that it sets off: on the clock, and what this thread computed of it.
class TimedApplication : public QApplication {
public:
    using QApplication::QApplication;

    bool notify(QObject* receiver, QEvent* event) override {
        if (QThread::currentThread() != thread() || depth_ > 0) return QApplication::notify(receiver, event);
        QElapsedTimer clock;
        clock.start();
        const double before = computed();
        const int type = int(event->type());
        const char* name = receiver->metaObject()->className();
        ++depth_;
        const bool taken = QApplication::notify(receiver, event);
        --depth_;
        add(double(clock.nsecsElapsed()) / 1e6, computed() - before, name, type);
        return taken;
    }
    void reset() { events_ = stalls_ = 0, longest_ = mostComputed_ = {}; }
    void print(const char* step) const {
        std::printf("%-44s %7d events  %3d above 50 ms  longest %7.1f ms (%s)  most computed %7.1f ms (%s)\n", step, events_, stalls_, longest_.ms,
                    qPrintable(longest_.where), mostComputed_.ms, qPrintable(mostComputed_.where));
    }
    struct Most {
        double ms = 0;
        QString where;  ///< receiver and type of the event
    };
    const Most& mostComputed() const { return mostComputed_; }

private:
    static double computed() {
        timespec time{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
        return double(time.tv_sec) * 1e3 + double(time.tv_nsec) / 1e6;
    }
    void add(double ms, double computed, const char* name, int type) {
        ++events_;
        stalls_ += ms > 50;
        const auto keep = [&](Most& most, double value) {
            if (value > most.ms) most = {value, QStringLiteral("%1, event %2").arg(QLatin1String(name)).arg(type)};
        };
        keep(longest_, ms);
        keep(mostComputed_, computed);
    }

    int depth_ = 0, events_ = 0, stalls_ = 0;
    Most longest_, mostComputed_;
};

}  // namespace owq
