#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Set-up, configure, build, for one preset; says how long each stage took. usage: installer/build.sh PRESET [TARGET…]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
preset=${1:?usage: installer/build.sh PRESET [TARGET…]}
shift

stage() {
    local name=$1 start=$SECONDS
    shift
    printf '== %s\n' "$name"
    "$@"
    printf '== %s took %d s\n' "$name" $((SECONDS - start))
}

# A file that includes LibTorch's headers takes about 1.5 GB to compile.
jobs=$(nproc)
by_memory=$(($(awk '/^MemAvailable/ {print $2}' /proc/meminfo) / 1500000))
if [ "$by_memory" -lt "$jobs" ]; then jobs=$((by_memory > 1 ? by_memory : 1)); fi

targets=()
if [ $# -gt 0 ]; then targets=(--target "$@"); fi
stage "set-up" installer/setup.sh
stage "configure ($preset)" cmake --preset "$preset" ${OWQ_DEPS:+"-DOWQ_DEPS=$OWQ_DEPS"}
stage "build ($preset, $jobs at a time)" cmake --build "build/$preset" --parallel "$jobs" "${targets[@]}"
