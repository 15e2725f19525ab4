// SPDX-License-Identifier: Apache-2.0
// Holds the source tree to the rules of the house, and each rule to its word on small made-up trees.
#include "tests/structure/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

namespace owq::structure {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const SourceTree& project() {
    static const SourceTree tree = readTree(OWQ_SOURCE_DIR);
    return tree;
}

// Files as {path, text}; must be given in the order of their paths.
SourceTree madeUp(std::initializer_list<std::pair<const char*, std::string>> files) {
    SourceTree tree;
    for (const auto& [path, text] : files) tree.files.push_back(parseFile(path, text));
    return tree;
}

std::string joined(const Violations& violations) {
    std::string all;
    for (const std::string& v : violations) all += "\n  " + v;
    return all;
}

#define EXPECT_NONE(rule) EXPECT_THAT(rule(project()), IsEmpty()) << joined(rule(project()))

TEST(structure, TheTreeWasRead) {
    EXPECT_GT(project().files.size(), 30u);
    EXPECT_NE(project().find("core/base/error.h"), nullptr);
    EXPECT_NE(project().find("tests/structure/rules.cpp"), nullptr);
    EXPECT_THROW(readTree("/nowhere/at/all"), std::runtime_error);
}

TEST(structure, ArchitectureNamesEveryRoomOnItsFloor) {
    std::ifstream stream(std::filesystem::path(OWQ_SOURCE_DIR) / "ARCHITECTURE.md");
    const std::string text((std::istreambuf_iterator<char>(stream)), {});
    const auto lines = parseFile("ARCHITECTURE.md", text).lines;
    for (const Room& room : rooms()) {
        const std::string floor = "| " + std::to_string(room.floor) + " |",
                          name = "`" + std::string(room.folder) + "`";
        EXPECT_EQ(std::count_if(
                      lines.begin(), lines.end(),
                      [&](const std::string& l) { return l.starts_with(floor) && l.find(name) != l.npos; }),
                  1)
            << name << " on floor " << room.floor;
    }
}

TEST(structure, EveryFileHasARoom) {
    EXPECT_NONE(filesOutsideRooms);
}
TEST(structure, RoomsUseOnlyRoomsBelow) {
    EXPECT_NONE(includesUpward);
}
TEST(structure, NoCircles) {
    EXPECT_NONE(includeCircles);
}
TEST(structure, IncludesFromTheRoot) {
    EXPECT_NONE(relativeIncludes);
}
TEST(structure, LibrariesStayBehindTheirWalls) {
    EXPECT_NONE(librariesOutOfPlace);
}
TEST(structure, LibTorchDoesNotLeakOutOfCore) {
    EXPECT_NONE(torchLeaks);
}
TEST(structure, LicenceLines) {
    EXPECT_NONE(licenceLines);
}
TEST(structure, NoLongFiles) {
    EXPECT_NONE(longFiles);
}
TEST(structure, NoTabs) {
    EXPECT_NONE(tabs);
}

// From here on: the rules can fail.

TEST(structure, FindsAFileOutsideTheRooms) {
    const auto tree = madeUp({{"core/attic/a.cpp", ""}, {"core/base/b.cpp", ""}, {"tests/c.cpp", ""}});
    EXPECT_THAT(filesOutsideRooms(tree), ElementsAre(StartsWith("core/attic/a.cpp:1:")));
}

TEST(structure, FindsIncludesThatGoUpOrSideways) {
    const auto tree =
        madeUp({{"app/cli/main.cpp", "#include \"core/jobs/run.h\"\n#include \"widgets/view.h\"\n"},
                {"core/base/b.h", "\n#include \"core/jobs/run.h\"\n"},
                {"core/checkpoint/c.h", "#include \"core/base/b.h\"\n#include \"core/checkpoint/d.h\"\n"},
                {"core/checkpoint/d.h", ""},
                {"core/jobs/run.h", ""},
                {"core/device/t.h", "#include \"core/checkpoint/c.h\"\n"},
                {"kernels/k.h", "#include \"core/base/b.h\"\n"},
                {"widgets/view.h", "#  include <core/base/b.h>\n"}});
    EXPECT_THAT(includesUpward(tree),
                ElementsAre(StartsWith("app/cli/main.cpp:2:"), StartsWith("core/base/b.h:2:"),
                            StartsWith("core/device/t.h:1:"), StartsWith("kernels/k.h:1:"),
                            StartsWith("widgets/view.h:1:")));
}

TEST(structure, FindsCircles) {
    const auto tree = madeUp({{"core/base/a.h", "#include \"core/base/b.h\"\n"},
                              {"core/base/b.h", "#include \"core/base/c.h\"\n"},
                              {"core/base/c.h", "#include \"core/base/a.h\"\n"},
                              {"core/base/d.h", "#include \"core/base/a.h\"\n"}});
    EXPECT_THAT(includeCircles(tree),
                ElementsAre(HasSubstr("core/base/a.h -> core/base/b.h -> core/base/c.h -> core/base/a.h")));
}

TEST(structure, FindsRelativeIncludes) {
    const auto tree =
        madeUp({{"core/base/a.h", "#include \"b.h\"\n#include \"../text/t.h\"\n#include \"generated.h\"\n"},
                {"core/base/b.h", ""},
                {"core/text/t.h", ""}});
    EXPECT_THAT(relativeIncludes(tree), ElementsAre(HasSubstr("core/base/b.h"), HasSubstr("core/text/t.h")));
}

TEST(structure, FindsLibrariesOutOfPlace) {
    const auto tree = madeUp({
        {"app/cli/a.cpp", "#include <QString>\n#include <CLI/CLI.hpp>\n"},
        {"app/workbench/a.cpp", "#include <QtWidgets/QMenu>\n#include <ATen/core/Tensor.h>\n"},
        {"core/model/a.cpp", "#include <ATen/ops/matmul.h>\n#include <hdf5.h>\n#include <torch/torch.h>\n"},
        {"core/store/a.cpp", "#include <hdf5.h>\n"},
        {"kernels/a.cpp", "#include <c10/util/Half.h>\n#include <cuda_runtime.h>\n"},
        {"kernels/cuda/a.cu", "#include <cuda_runtime.h>\n"},
        {"tests/a.cpp", "#include <ATen/core/Tensor.h>\n"},
        {"widgets/hessian/a.cpp", "#include <qcustomplot.h>\n#include \"widgets/plot/qcustomplot.h\"\n"},
        {"widgets/plot/qcustomplot.h", "#include <qcustomplot.h>\n"},
    });
    EXPECT_THAT(
        librariesOutOfPlace(tree),
        testing::UnorderedElementsAre(StartsWith("app/cli/a.cpp:1:"), StartsWith("app/workbench/a.cpp:2:"),
                                      StartsWith("core/model/a.cpp:2:"), StartsWith("core/model/a.cpp:3:"),
                                      StartsWith("kernels/a.cpp:1:"), StartsWith("kernels/a.cpp:2:"),
                                      StartsWith("widgets/hessian/a.cpp:1:")));
}

TEST(structure, FindsLibTorchBehindAHeader) {
    const auto tree = madeUp({{"app/cli/a.cpp", "#include \"core/model/block.h\"\n"},
                              {"app/cli/b.cpp", "#include \"core/jobs/run.h\"\n"},
                              {"core/jobs/run.cpp", "#include \"core/model/block.h\"\n"},
                              {"core/jobs/run.h", ""},
                              {"core/model/block.h", "#include \"core/model/linear.h\"\n"},
                              {"core/model/linear.h", "#include <ATen/core/Tensor.h>\n"}});
    EXPECT_THAT(torchLeaks(tree), ElementsAre(StartsWith("app/cli/a.cpp:1:")));
}

TEST(structure, FindsWrongLicences) {
    const std::string apache = "// SPDX-License-Identifier: Apache-2.0\n",
                      gpl = "// SPDX-License-Identifier: GPL-3.0-or-later\n";
    const auto tree = madeUp({{"app/cli/a.cpp", gpl},
                              {"app/workbench/a.cpp", gpl},
                              {"core/base/a.cpp", "#include <vector>\n" + apache},
                              {"core/base/b.cpp", ""},
                              {"core/base/c.cpp", apache},
                              {"tests/run.sh", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n"},
                              {"widgets/CMakeLists.txt", "# SPDX-License-Identifier: MIT\n"},
                              {"widgets/a.h", apache}});
    EXPECT_THAT(licenceLines(tree),
                ElementsAre(StartsWith("app/cli/a.cpp:1:"), StartsWith("core/base/a.cpp:1:"),
                            StartsWith("core/base/b.cpp:1:"), StartsWith("widgets/CMakeLists.txt:1:"),
                            StartsWith("widgets/a.h:1:")));
}

TEST(structure, FindsLongFilesAndTabs) {
    const auto lines = [](int n) {
        std::string s;
        while (n-- > 0) s += "x\n";
        return s;
    };
    const auto tree = madeUp({{"app/workbench/main_window.cpp", lines(501)},
                              {"core/base/a.cpp", lines(801)},
                              {"core/base/b.cpp", lines(800)},
                              {"core/base/c.cpp", "a\n\tb\n"}});
    EXPECT_THAT(longFiles(tree), ElementsAre(StartsWith("app/workbench/main_window.cpp:501:"),
                                             StartsWith("core/base/a.cpp:801:")));
    EXPECT_THAT(tabs(tree), ElementsAre(StartsWith("core/base/c.cpp:2:")));
}

}  // namespace
}  // namespace owq::structure
