#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From nothing to a result: sets up, builds, quantizes the bundled sample models in several ways, measures, exports,
# verifies, draws figures, prints one table, and opens the window on the result where there is a display.
# What is finished is kept in build/sample-runs and reused by the next call.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C.UTF-8

usage() {
    cat <<END
usage: installer/run.sh [--no-window] [--fresh]
  --no-window  do not open the window at the end
  --fresh      forget the finished runs in build/sample-runs and make them again
END
}
window=1 fresh=0
for argument in "$@"; do
    case $argument in
        --no-window) window=0 ;;
        --fresh) fresh=1 ;;
        -h|--help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
done

installer/build.sh release programs

owq=build/release/bin/owq
workbench=build/release/bin/owq-workbench
sample=resources/sample
runs=build/sample-runs
results=$runs/results
models=(llama opt)
# name of the run, its options
methods=(
    "rtn3     --method rtn --bits 3"
    "optq3    --method optq --bits 3"
    "owq3.05  --method owq --bits 3 --target-bits 3.05"
    "owq3.1   --method owq --bits 3 --target-bits 3.1"
    "owq4.05  --method owq --bits 4 --target-bits 4.05"
)
texts=(heldout wikitext2.test)
shown=owq3.05  # the run that is exported in all formats, drawn and opened

if [ $fresh = 1 ]; then rm -rf "$runs"; fi
mkdir -p "$results"

# once FILE WHAT COMMAND… : runs the command, which writes FILE, unless it is there.
once() {
    local file=$1 what=$2 start=$SECONDS
    shift 2
    if [ -s "$file" ]; then printf '   %s: there already\n' "$what"; return; fi
    "$@"
    printf '   %s: %d s\n' "$what" $((SECONDS - start))
}

evaluate() {  # NAME MODEL
    local text
    for text in "${texts[@]}"; do
        once "$results/$1.$text.json" "$1, perplexity on $text" \
            "$owq" evaluate "$2" --text "$sample/$text.txt" --protocol plain --sequence-length 512 --max-windows 64 \
            --quiet --json "$results/$1.$text.json"
    done
}

quantize() {  # NAME MODEL OPTION…
    local name=$1 model=$2 calibration=()
    shift 2
    if [[ " $* " != *" rtn "* ]]; then
        calibration=(--calibration "$sample/calibration.txt" --samples 128 --sequence-length 512)
    fi
    once "$results/$name.json" "$name, quantize" \
        "$owq" quantize "$model" --out "$runs/$name" "${calibration[@]}" --resume --quiet --json "$results/$name.json" "$@"
}

export_run() {  # NAME FORMAT PATH
    once "$results/$1.$2.json" "$1, export as $2 and verify" \
        "$owq" export "$runs/$1" --format "$2" --out "$3" --force --quiet --json "$results/$1.$2.json"
}

figure() {  # NAME KIND LAYER
    once "$runs/figures/$1-$2.pdf" "$1, figure $2 of $3" \
        "$owq" figure "$runs/$1" --kind "$2" --layer "$3" --out "$runs/figures/$1-$2.pdf"
}

for model in "${models[@]}"; do
    printf '== sample-%s\n' "$model"
    evaluate "$model-original" "$sample/sample-$model"
    for method in "${methods[@]}"; do
        read -r -a words <<<"$method"
        name=$model-${words[0]}
        quantize "$name" "$sample/sample-$model" "${words[@]:1}"
        evaluate "$name" "$runs/$name"
        export_run "$name" owq "$runs/export/$name"
    done
    name=$model-$shown
    evaluate "$name-packed" "$runs/export/$name"
    export_run "$name" owq-pth "$runs/export/$name.pth"
    export_run "$name" dense "$runs/export/$name-dense"
    if [ -x "$workbench" ]; then
        mkdir -p "$runs/figures"
        layer=$(jq -r '.layers | max_by(.weak_columns | length) | .name' "$results/$name.json")
        for kind in hessian column-range cumulative-error; do figure "$name" $kind "$layer"; done
    fi
done

# --- the table --------------------------------------------------------------------------------------------------
row() { printf '%-14s %-15s %10s %10s %8s %8s %8s %8s\n' "$@"; }
number() { printf '%.*f' "$1" "$2"; }
perplexity() { number 2 "$(jq .perplexity "$results/$1.json")"; }
megabytes() { find "$1" -name '*.safetensors' -printf '%s\n' | awk '{bytes += $1} END {printf "%.2f", bytes / 1e6}'; }
result_row() {  # MODEL NAME_OF_THE_EVALUATION METHOD FOLDER BITS STORED SECONDS
    row "sample-$1" "$3" "$(perplexity "$2.heldout")" "$(perplexity "$2.wikitext2.test")" "$5" "$6" "$(megabytes "$4")" "$7"
}

printf '\nPerplexity of 64 windows of 512 tokens, protocol plain. Bits of the quantized linears, as the paper counts and as\n'
printf 'stored; size of the packed model with embeddings and all; seconds to quantize.\n\n'
row model method held-out wikitext2 bits stored MB seconds
for model in "${models[@]}"; do
    result_row "$model" "$model-original" original "$sample/sample-$model" 16.000 16.000 -
    for method in "${methods[@]}"; do
        read -r -a words <<<"$method"
        name=$model-${words[0]}
        read -r paper stored seconds < <(jq -r '[.effective_bits.paper, .effective_bits.stored, .seconds.total] | @tsv' "$results/$name.json")
        paper=$(number 3 "$paper") stored=$(number 3 "$stored")
        result_row "$model" "$name" "${words[0]}" "$runs/export/$name" "$paper" "$stored" "$(number 1 "$seconds")"
        if [ "${words[0]}" = $shown ]; then
            result_row "$model" "$name-packed" "$shown, packed" "$runs/export/$name" "$paper" "$stored" -
        fi
    done
done
printf '\nRuns: %s   packed models: %s   figures: %s   (%d s)\n' "$runs" "$runs/export" "$runs/figures" $SECONDS

result=$runs/${models[0]}-$shown
if [ $window = 1 ] && [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && [ -x "$workbench" ]; then
    printf 'Opening the window on %s\n' "$result"
    setsid "$workbench" "$result" </dev/null >"$runs/workbench.log" 2>&1 &
else
    printf 'Look at it in the window: %s %s\n' "$workbench" "$result"
fi
