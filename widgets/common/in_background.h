// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once
#include <QFuture>
#include <QPromise>
#include <QThreadPool>
#include <memory>
#include <type_traits>
#include <utility>

namespace owq {

/// Computes on Qt's thread pool and hands the result to `then` on the receiver's thread, unless the receiver is gone by then.
template <class Compute, class Then>
void inBackground(QObject* receiver, Compute compute, Then then) {
    using Result = std::invoke_result_t<Compute>;
    const auto promise = std::make_shared<QPromise<std::shared_ptr<Result>>>();
    promise->start();
    promise->future().then(receiver, [then = std::move(then)](const std::shared_ptr<Result>& result) { then(std::move(*result)); });
    QThreadPool::globalInstance()->start([promise, compute = std::move(compute)] {
        promise->addResult(std::make_shared<Result>(compute()));
        promise->finish();
    });
}

/// Stands behind the application in main(): what still paints in the background needs it.
struct BackgroundEnd {
    BackgroundEnd() = default;
    BackgroundEnd(const BackgroundEnd&) = delete;
    ~BackgroundEnd() { QThreadPool::globalInstance()->waitForDone(); }
};

}  // namespace owq
