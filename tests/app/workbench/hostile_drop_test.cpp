// SPDX-License-Identifier: Apache-2.0
// Every hostile file of tests/data/hostile dropped on the window, one after another on the same one: what owq inspect refuses is
// refused in the message bar, by name, and the window goes on.
#include <gtest/gtest.h>

#include <QApplication>
#include <QDropEvent>
#include <QMimeData>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>
#include <QUrl>
#include <filesystem>

#include "app/workbench/main_window.h"
#include "core/base/json.h"
#include "core/jobs/inspect.h"
#include "widgets/layer_tree/layer_tree.h"

namespace owq {
namespace {

namespace fs = std::filesystem;
const fs::path kHostile = fs::path(OWQ_TEST_DATA) / "hostile";

class HostileDrop : public testing::Test {
protected:
    HostileDrop() : window(realJobs(), nullptr) {
        QSettings().clear();
        window.resize(1400, 900);
        window.show();
    }
    void drop(const fs::path& path) {
        QMimeData data;
        data.setUrls({QUrl::fromLocalFile(QString::fromStdString(path.string()))});
        QDragEnterEvent enter(QPoint(300, 300), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&window, &enter);
        ASSERT_TRUE(enter.isAccepted());
        QDropEvent event(QPointF(300, 300), Qt::CopyAction, &data, Qt::LeftButton, Qt::NoModifier);
        QApplication::sendEvent(&window, &event);
    }
    /// What a person drops: the file, or the folder where it takes several.
    fs::path laidOut(const Json& one) const {
        const fs::path place = fs::path(dir.path().toStdString()) / one.at("id").get<std::string>();
        fs::create_directories(place);
        fs::path last;
        for (const auto& [name, stored] : one.at("files").items()) {
            last = place / name;
            fs::copy_file(kHostile / stored.get<std::string>(), last);
        }
        const std::string kind = one.at("kind");
        return kind == "safetensors" || kind == "pickle" ? last : place;
    }
    static std::string refusalOf(const fs::path& path) {
        Progress progress;
        try {
            InspectOptions options;
            options.model = path;
            inspect(options, progress, {});
        } catch (const Error& error) {
            return error.happened();
        }
        return {};
    }
    QTemporaryDir dir;
    MainWindow window;
};

TEST_F(HostileDrop, IsOpenedOrRefusedLikeOnTheCommandLine) {
    auto& bar = *window.findChild<MessageBar*>();
    int refused = 0;
    const Json index = readJson(kHostile / "index.json");
    for (const Json& one : index.at("cases")) {
        SCOPED_TRACE(one.at("id").get<std::string>());
        const fs::path path = laidOut(one);
        const std::string refusal = refusalOf(path);
        bar.hide();
        drop(path);
        ASSERT_TRUE(QTest::qWaitFor([&] { return bar.isVisible() || window.workspace().path() == QString::fromStdString(path.string()); }, 20000));
        if (refusal.empty()) continue;  // a model, or tensors alone, which the bar then says
        ++refused;
        EXPECT_NE(window.workspace().path(), QString::fromStdString(path.string()));
        EXPECT_TRUE(bar.text().contains(QString::fromStdString(refusal).left(60))) << bar.text().toStdString() << "\n" << refusal;
        EXPECT_TRUE(bar.text().contains(QString::fromStdString(path.filename().string()))) << bar.text().toStdString();
    }
    EXPECT_GT(refused, 90);
}

}  // namespace
}  // namespace owq
