#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sets up, builds and runs the tests; ends with ctest's summary. Exits 0 when every test passed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

usage() {
    cat <<END
usage: tests/run.sh [--quick] [--sanitize asan|tsan]
  --quick              without the tests that take longer than about ten seconds (label slow)
  --sanitize asan      the core's quick tests under AddressSanitizer and UndefinedBehaviorSanitizer
  --sanitize tsan      the core's quick tests under ThreadSanitizer
The build is in build/release (build/asan, build/tsan). With CI set, warnings are errors.
END
}

preset=release filter=()
while [ $# -gt 0 ]; do
    case $1 in
        --quick) filter=(--label-exclude slow) ;;
        --sanitize)
            case ${2:-} in asan|tsan) preset=$2 ;; *) usage >&2; exit 2 ;; esac
            filter=(--label-exclude slow)
            shift ;;
        -h|--help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
    shift
done

installer/build.sh "$preset"
printf '== test (%s)\n' "$preset"
# ThreadSanitizer of older compilers cannot place its shadow where the kernel randomizes addresses widely.
run=()
if [ "$preset" = tsan ] && setarch -R true 2>/dev/null; then run=(setarch -R); fi
# Two tests at a time, each with as many threads as there are cores: threads that wait must not hold a core meanwhile.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
exec "${run[@]}" ctest --test-dir "build/$preset" --output-on-failure --no-tests=error --parallel "$(nproc)" "${filter[@]}"
