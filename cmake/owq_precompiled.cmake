# SPDX-License-Identifier: Apache-2.0
# Headers that most sources include, compiled once for each kind of target: LibTorch's take 13 s a source otherwise.
# Sources still include what they use; the preset dev builds without and shows what is missing.
# GCC only: a compiler that writes its headers' times into the result defeats ccache.
set(owq_precompiled_std <algorithm> <array> <chrono> <cmath> <cstdint> <cstring> <filesystem> <fstream> <functional> <map> <memory> <numeric>
    <optional> <set> <span> <sstream> <stop_token> <string> <string_view> <unordered_map> <utility> <vector>)
set(owq_precompiled_torch <ATen/core/Tensor.h> <ATen/core/grad_mode.h> <ATen/ops/empty.h> <ATen/ops/from_blob.h> <ATen/ops/mm.h>
    <ATen/ops/randn.h> <ATen/ops/zeros.h> <c10/core/InferenceMode.h>)
set(owq_precompiled_qt <QAction> <QApplication> <QBoxLayout> <QComboBox> <QDir> <QFileInfo> <QHash> <QLabel> <QLineEdit> <QObject> <QPainter>
    <QPushButton> <QSettings> <QString> <QStringList> <QTableView> <QTreeView> <QWidget>)

function(owq_precompiled_target name position)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "HEADERS;USES;OPTIONS")
    file(WRITE ${CMAKE_BINARY_DIR}/generated/${name}.cpp "")
    add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/generated/${name}.cpp)
    target_link_libraries(${name} PRIVATE owq_options ${arg_USES})
    target_compile_options(${name} PRIVATE ${arg_OPTIONS})
    target_precompile_headers(${name} PRIVATE ${owq_precompiled_std} ${arg_HEADERS})
    if(position STREQUAL "program")  # as CMake compiles the sources of a program
        set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
        target_compile_options(${name} PRIVATE -fPIE)
    endif()
endfunction()

if(OWQ_PRECOMPILE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set(OWQ_PRECOMPILED ON)
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fpch-preprocess>)  # what ccache needs to see through them
    if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)  # bug 105651 again: inlined std::string looks like an overflow, too
        target_compile_options(owq_options INTERFACE
            $<$<COMPILE_LANGUAGE:CXX>:-Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread>)
    endif()
    owq_precompiled_target(owq_precompiled_library library)
    owq_precompiled_target(owq_precompiled_library_torch library HEADERS ${owq_precompiled_torch} USES owq::torch)
    owq_precompiled_target(owq_precompiled_library_cli library HEADERS <CLI/CLI.hpp> USES CLI11::CLI11 OPTIONS -O1)
    if(OWQ_WITH_GUI)
        owq_precompiled_target(owq_precompiled_library_qt library HEADERS ${owq_precompiled_qt} USES Qt6::Widgets)
        target_compile_definitions(owq_precompiled_library_qt PRIVATE QT_NO_KEYWORDS)
    endif()
    if(OWQ_BUILD_TESTS)
        owq_precompiled_target(owq_precompiled_test program HEADERS <gmock/gmock.h> <gtest/gtest.h> USES GTest::gmock OPTIONS -O1)
        owq_precompiled_target(owq_precompiled_test_torch program HEADERS ${owq_precompiled_torch} <gmock/gmock.h> <gtest/gtest.h>
            USES owq::torch GTest::gmock OPTIONS -O1)
        if(OWQ_WITH_GUI)
            owq_precompiled_target(owq_precompiled_test_qt program HEADERS ${owq_precompiled_qt} <gmock/gmock.h> <gtest/gtest.h>
                USES Qt6::Widgets GTest::gmock OPTIONS -O1)
            target_compile_definitions(owq_precompiled_test_qt PRIVATE QT_NO_KEYWORDS)
        endif()
    endif()
endif()

# owq_precompiled(TARGET library|test USED …): TARGET takes the headers that suit what it uses.
function(owq_precompiled target kind)
    if(NOT OWQ_PRECOMPILED)
        return()
    endif()
    set(name owq_precompiled_${kind})
    if("owq::torch" IN_LIST ARGN)
        string(APPEND name _torch)
    elseif("CLI11::CLI11" IN_LIST ARGN)
        string(APPEND name _cli)
    elseif("${ARGN}" MATCHES "Qt6::|owq_widgets")
        string(APPEND name _qt)
    endif()
    target_precompile_headers(${target} REUSE_FROM ${name})
endfunction()
