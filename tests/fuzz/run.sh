#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzzers (clang with its libFuzzer) and runs them; ends with what each did. Exits 0 without findings.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
all="safetensors index pickle zip torch config tokenizer_json tokenizer_model budget run statistics task questions gptq"

usage() {
    cat <<END
usage: tests/fuzz/run.sh [--seconds N] [--jobs N] [--keep] [TARGET…]
  --seconds N  for each target (default 600)
  --jobs N     targets at a time (default: the number of cores)
  --keep       afterwards put the smallest inputs that reach the same code into tests/data/fuzz, which every test run replays
Targets: $all
Inputs are kept in build/fuzz/corpus; a finding is named crash-…, leak-…, oom-… or timeout-… in build/fuzz/findings.
END
}

seconds=600 jobs=$(nproc) keep=0 targets=()
while [ $# -gt 0 ]; do
    case $1 in
        --seconds) seconds=${2:?}; shift ;;
        --jobs) jobs=${2:?}; shift ;;
        --keep) keep=1 ;;
        -h|--help) usage; exit 0 ;;
        -*) usage >&2; exit 2 ;;
        *) targets+=("$1") ;;
    esac
    shift
done
[ ${#targets[@]} -gt 0 ] || read -r -a targets <<<"$all"

cmake --preset fuzz >/dev/null
cmake --build build/fuzz --target "${targets[@]/#/fuzz_}"
mkdir -p build/fuzz/findings
# In memory where the system has such a place; a fuzzer leaves its folder behind.
TMPDIR=$(mktemp -d -p "$([ -d /dev/shm ] && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=0 UBSAN_OPTIONS=print_stacktrace=1

# What of the hostile files a target reads (tests/fuzz/targets.cpp).
seeds_of() {
    case $1 in
        safetensors) echo tests/data/hostile/safetensors ;;
        zip|torch) echo tests/data/hostile/pickle ;;
        tokenizer_json) echo tests/data/hostile/tokenizer_json ;;
        tokenizer_model) echo tests/data/hostile/sp_model ;;
        config|index) echo tests/data/hostile/model_dir ;;
    esac
}
fuzz() {
    local corpus=build/fuzz/corpus/$1 name=*
    case $1 in config) name=config.json ;; index) name=*.index.json ;; esac
    mkdir -p "$corpus"
    if [ -e "tests/data/fuzz/$1.corpus" ]; then tests/fuzz/corpus.py unpack "tests/data/fuzz/$1.corpus" "$corpus"; fi
    for folder in $(seeds_of "$1"); do
        find "$folder" -type f -name "$name" -size -64k | while read -r file; do cp "$file" "$corpus/seed-$(sha1sum <"$file" | cut -c1-16)"; done
    done
    build/fuzz/bin/fuzz_"$1" -max_total_time="$seconds" -max_len=65536 -timeout=20 -rss_limit_mb=3000 -malloc_limit_mb=1000 \
        -artifact_prefix=build/fuzz/findings/"$1"- -print_final_stats=1 "$corpus" >build/fuzz/"$1".log 2>&1
}
# Findings of old stay, whatever they reach.
keep_smallest() {
    local smallest=build/fuzz/smallest/$1
    rm -rf "$smallest" && mkdir -p "$smallest"
    build/fuzz/bin/fuzz_"$1" -merge=1 -use_counters=0 -max_len=4096 "$smallest" build/fuzz/corpus/"$1" >build/fuzz/"$1".merge.log 2>&1
    cp build/fuzz/findings/"$1"-* "$smallest" 2>/dev/null || true
    tests/fuzz/corpus.py pack "$smallest" tests/data/fuzz/"$1".corpus
}

failed=()
for ((i = 0; i < ${#targets[@]}; i += jobs)); do
    pids=() names=("${targets[@]:i:jobs}")
    for name in "${names[@]}"; do fuzz "$name" & pids+=($!); done
    for k in "${!pids[@]}"; do wait "${pids[k]}" || failed+=("${names[k]}"); done
done
for name in "${targets[@]}"; do
    printf '%-16s %s runs, %s inputs kept\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' build/fuzz/"$name".log)" "$(ls build/fuzz/corpus/"$name" | wc -l)"
    if [ "$keep" = 1 ]; then keep_smallest "$name"; fi
done
if [ ${#failed[@]} -gt 0 ]; then printf 'FINDINGS in: %s (build/fuzz/NAME.log)\n' "${failed[*]}"; exit 1; fi
