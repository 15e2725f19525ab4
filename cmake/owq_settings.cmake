# SPDX-License-Identifier: Apache-2.0
# Language level, output folders, warnings, sanitizers. No flag is appended to CMAKE_CXX_FLAGS here.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(OWQ_CCACHE ccache)
if(OWQ_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_C_COMPILER_LAUNCHER ${OWQ_CCACHE})
    # what ccache asks for where headers are precompiled (owq_precompiled.cmake)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${OWQ_CCACHE})
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${OWQ_CCACHE})
endif()

add_library(owq_options INTERFACE)
target_include_directories(owq_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(owq_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers -fno-math-errno>
    # a*b+c must round twice where the reference does; kernels ask for FMA by intrinsic
    $<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off>
    # GCC 12 sees an overlap in every optimized "literal" + std::string (GCC bug 105651)
    $<$<AND:$<COMPILE_LANG_AND_ID:CXX,GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)
if(DEFINED ENV{CI})
    target_compile_options(owq_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(OWQ_SANITIZE STREQUAL "address")
    set(flags -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
elseif(OWQ_SANITIZE STREQUAL "thread")
    set(flags -fsanitize=thread -fno-omit-frame-pointer)
endif()
if(OWQ_BUILD_FUZZ)
    list(APPEND flags -fsanitize=fuzzer-no-link)
endif()
if(OWQ_SANITIZE OR OWQ_BUILD_FUZZ)
    # GCC documents false reports of what sanitizers put in (libstdc++'s <regex>)
    target_compile_options(owq_options INTERFACE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-maybe-uninitialized>)
    target_compile_options(owq_options INTERFACE $<$<COMPILE_LANGUAGE:CXX>:${flags}>)
    target_link_options(owq_options INTERFACE ${flags})
endif()
