# SPDX-License-Identifier: Apache-2.0
# owq_library(NAME SOURCES … [USES …] [PRIVATE_USES …]) : one room of the house, a static library.
# USES names the rooms below (and libraries) that the room's public headers need; PRIVATE_USES those only its sources need.
function(owq_library name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;USES;PRIVATE_USES")
    add_library(${name} STATIC ${arg_SOURCES})
    target_link_libraries(${name} PUBLIC owq_options ${arg_USES} PRIVATE ${arg_PRIVATE_USES})
    owq_precompiled(${name} library ${arg_USES} ${arg_PRIVATE_USES})
endfunction()

# owq_test(NAME SOURCES … [USES …] [LABELS …] [TIMEOUT s]) : one GoogleTest program; each of its cases is a ctest entry.
# Tests see OWQ_TEST_DATA (tests/data) and OWQ_SAMPLE (resources/sample) as string macros.
function(owq_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "NO_MAIN" "TIMEOUT" "SOURCES;USES;LABELS;ENVIRONMENT")
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 300)
    endif()
    add_executable(${name} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE owq_options ${arg_USES} GTest::gmock
        $<IF:$<BOOL:${arg_NO_MAIN}>,GTest::gtest,GTest::gtest_main>)
    target_compile_options(${name} PRIVATE -O1)  # half the time to compile; what is tested keeps its own options
    owq_precompiled(${name} test ${arg_USES})
    target_compile_definitions(${name} PRIVATE
        OWQ_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data" OWQ_SAMPLE="${CMAKE_SOURCE_DIR}/resources/sample"
        OWQ_SOURCE_DIR="${CMAKE_SOURCE_DIR}" OWQ_BIN_DIR="${CMAKE_BINARY_DIR}/bin")
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    set(properties TIMEOUT ${arg_TIMEOUT})
    if(arg_LABELS)
        list(APPEND properties LABELS "${arg_LABELS}")
    endif()
    set(environment QT_QPA_PLATFORM=offscreen ${arg_ENVIRONMENT})
    # ctest runs tests side by side: one that computes on every core must have them to itself, the others keep to one.
    if("slow" IN_LIST arg_LABELS)
        list(APPEND properties RUN_SERIAL ON)
    else()
        list(APPEND environment OMP_NUM_THREADS=1)
    endif()
    if(OWQ_SANITIZE STREQUAL "thread")
        list(APPEND environment "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/tsan.supp history_size=4")
    elseif(OWQ_SANITIZE STREQUAL "address")
        list(APPEND environment "ASAN_OPTIONS=detect_leaks=0" "UBSAN_OPTIONS=print_stacktrace=1")
    endif()
    list(APPEND properties ENVIRONMENT "${environment}")
    # A sanitized program takes seconds to start: there one entry a program, not one a case.
    if(OWQ_SANITIZE)
        add_test(NAME ${name} COMMAND ${name})
        set_tests_properties(${name} PROPERTIES TIMEOUT 3000 LABELS "${arg_LABELS}" ENVIRONMENT "${environment}")
        return()
    endif()
    gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120 PROPERTIES ${properties})
endfunction()
include(GoogleTest)
