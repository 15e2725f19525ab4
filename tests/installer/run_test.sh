#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# installer/run.sh in a made-up tree whose programs are stand-ins: what it calls, what it reuses, the table, a failure.
set -uo pipefail
source=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset DISPLAY WAYLAND_DISPLAY
failures=0
check() {  # WHAT COMMAND…
    local what=$1
    shift
    if "$@"; then echo "ok: $what"; else echo "FAILED: $what"; failures=$((failures + 1)); fi
}
calls() { grep -c -- "$1" "$scratch/calls" 2>/dev/null; }

mkdir -p "$scratch"/installer "$scratch"/build/release/bin "$scratch"/resources/sample/sample-{llama,opt}
cp "$source/installer/run.sh" "$scratch/installer/"
head -c 2000000 /dev/zero >"$scratch/resources/sample/sample-llama/model.safetensors"
printf '#!/bin/sh\n' >"$scratch/installer/build.sh"
cat >"$scratch/build/release/bin/owq" <<'END'
#!/usr/bin/env bash
echo "$*" >>calls
[[ -z ${FAIL_AT:-} || "$*" != *"$FAIL_AT"* ]] || { echo "owq: error: made to fail" >&2; exit 1; }
command=$1
while [ $# -gt 0 ]; do
    case $1 in --json) json=$2 ;; --out) out=$2 ;; esac
    shift
done
case $command in
    evaluate) echo '{"perplexity": 47.1234}' >"$json" ;;
    quantize) echo '{"effective_bits": {"paper": 3.0512, "stored": 3.31}, "seconds": {"total": 12.34},
                     "layers": [{"name": "few", "weak_columns": [1]}, {"name": "many", "weak_columns": [1, 2]}]}' >"$json" ;;
    export)
        case $out in *.pth) echo >"$out" ;; *) mkdir -p "$out"; head -c 1500000 /dev/zero >"$out/model.safetensors" ;; esac
        echo '{}' >"$json" ;;
    figure) echo pdf >"$out" ;;
esac
END
printf '#!/bin/sh\necho "$*" >>window\n' >"$scratch/build/release/bin/owq-workbench"
chmod +x "$scratch"/installer/*.sh "$scratch"/build/release/bin/*
cd "$scratch" || exit 1

export FAIL_AT="quantize resources/sample/sample-opt --out build/sample-runs/opt-owq3.05"
installer/run.sh >out 2>&1
check "a failing run ends the script" test $? = 1
check "what the program said is shown" grep -q "made to fail" out
unset FAIL_AT

installer/run.sh >out 2>&1
check "the next call succeeds" test $? = 0
check "it made again only what was missing" test "$(calls '^quantize')" = 11
check "calibration text is given where it is needed" test "$(calls '^quantize.*--calibration.*--samples 128 --sequence-length 512')" = 9
check "both models, both texts, each method and the packed model are measured" test "$(calls '^evaluate')" = 28
check "three figures a model, of the linear with most weak columns" test "$(calls '^figure.*--layer many')" = 6
check "the table has a row for each" test "$(grep -c '^sample-' out)" = 14
check "the original's row" grep -Eq '^sample-llama +original +47\.12 +47\.12 +16\.000 +16\.000 +2\.00 +-$' out
check "a run's row" grep -Eq '^sample-opt +owq3\.05 +47\.12 +47\.12 +3\.051 +3\.310 +1\.50 +12\.3$' out
check "no window without a display" test ! -e window

before=$(wc -l <calls)
DISPLAY=:99 installer/run.sh --no-window >out 2>&1
check "a third call makes nothing" test "$(wc -l <calls)" = "$before"
check "it prints the table all the same" test "$(grep -c '^sample-' out)" = 14
check "no window when it is not wanted" test ! -e window

DISPLAY=:99 installer/run.sh >out 2>&1
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -s window ] || sleep 0.2; done
check "the window opens on a finished run" grep -q "build/sample-runs/llama-owq3.05" window

installer/run.sh --fresh >out 2>&1
check "--fresh makes all again" test "$(calls '^quantize')" = 21
installer/run.sh --frobnicate >out 2>&1
check "an unknown option is wrong usage" test $? = 2

[ $failures = 0 ] || { echo "$failures checks failed"; cat out; exit 1; }
