#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# installer/setup.sh against a pip that is a stand-in and wheels of a few bytes: what it leaves when all goes well, when the
# download fails, when it is killed. usage: setup_test.sh CMAKE (which makes the zip files)
set -uo pipefail
setup=$(cd "$(dirname "$0")/../.." && pwd)/installer/setup.sh
cmake=${1:-cmake}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export OWQ_DEPS=$scratch/deps WHEELS=$scratch/wheels PIP_LOG=$scratch/pip.log
target=$OWQ_DEPS/libtorch-2.11.0
failures=0

check() {  # WHAT COMMAND…
    local what=$1
    shift
    if "$@"; then echo "ok: $what"; else echo "FAILED: $what"; failures=$((failures + 1)); fi
}
clean() { [ -z "$(find "$OWQ_DEPS" -mindepth 1 -maxdepth 1 -name '.unpacking*')" ]; }
downloads() { [ "$(wc -l <"$PIP_LOG")" = "$1" ]; }
answers() {  # STATUS TEXT ARGUMENT… : setup.sh ends with the status and says the text
    local status=$1 text=$2
    shift 2
    "$setup" "$@" >"$scratch/out" 2>&1
    local got=$?
    if [ $got = "$status" ] && grep -q -- "$text" "$scratch/out"; then return 0; fi
    echo "status $got instead of $status, or not '$text' in:"
    cat "$scratch/out"
    return 1
}

mkdir -p "$scratch/bin" "$WHEELS" "$scratch/torch" "$scratch/nvidia"
: >"$PIP_LOG"
cat >"$scratch/bin/python3" <<'END'
#!/usr/bin/env bash
case "$*" in
    "-m pip --version") exit 0 ;;
    "-m pip download"*"--require-hashes"*) ;;
    *) echo "unexpected: python3 $*" >&2; exit 9 ;;
esac
echo download >>"$PIP_LOG"
case $* in *libtorch-cuda.txt*) cuda=1 ;; esac
while [ "$1" != --dest ]; do shift; done
mkdir -p "$2"
case ${PIP_MODE:-good} in
    good) cp "$WHEELS"/*.whl "$2"; [ -n "${cuda:-}" ] || rm "$2"/nvidia_cu{blas,solver,dnn}*.whl ;;
    fails) echo half >"$2/torch-2.11.0-cp311.whl"; exit 1 ;;
    killed) echo half >"$2/torch-2.11.0-cp311.whl"; kill -KILL "$PPID" ;;
    lacking) cp "$WHEELS"/torch*.whl "$2" ;;
esac
END
chmod +x "$scratch/bin/python3"
export PATH=$scratch/bin:$PATH

make_wheel() {  # NAME FOLDER FILE…
    local name=$1 folder=$2 file
    shift 2
    for file in "$@"; do mkdir -p "$scratch/$folder/$(dirname "$file")"; echo content >"$scratch/$folder/$file"; done
    (cd "$scratch/$folder" && "$cmake" -E tar cf "$WHEELS/$name" --format=zip .)
    rm -rf "${scratch:?}/$folder"
}
make_wheel torch-2.11.0-cp311.whl torch torch/lib/libtorch_cpu.so torch/lib/libc10.so torch/lib/libgomp.so.1 torch/lib/libtorch_cuda.so \
    torch/lib/libtorch_cuda_linalg.so torch/lib/libc10_cuda.so torch/lib/libcaffe2_nvrtc.so torch/version.py torch/nn.py torch/include/ATen/ATen.h torch/include/torch/csrc/api/include/torch/torch.h torch-2.11.0.dist-info/licenses/LICENSE
make_wheel nvidia_cuda_runtime-13.whl runtime nvidia/cu13/lib/libcudart.so.13 nvidia/cu13/include/cuda.h runtime-13.dist-info/licenses/License.txt
make_wheel nvidia_cuda_cupti-13.whl cupti nvidia/cu13/lib/libcupti.so.13 nvidia/cu13/lib/libnvperf_host.so \
    cupti-13.dist-info/licenses/License.txt

make_wheel nvidia_cublas-13.whl cublas nvidia/cu13/lib/libcublas.so.13 nvidia/cu13/include/cublas.h cublas-13.dist-info/METADATA
make_wheel nvidia_cusolver-12.whl cusolver nvidia/cu13/lib/libcusolver.so.12 cusolver-12.dist-info/METADATA
make_wheel nvidia_cudnn_cu13-9.whl cudnn nvidia/cudnn/lib/libcudnn.so.9 nvidia/cudnn/lib/libcudnn_ops.so.9 cudnn-9.dist-info/METADATA

check "an unknown option is wrong usage" answers 2 usage --frobnicate
check "nothing is fetched before that" downloads 0

export PIP_MODE=fails
check "a failing download is an error with advice" answers 1 "call setup.sh again" --no-packages
check "it leaves nothing half" clean
check "it leaves no target" test ! -e "$target"

export PIP_MODE=lacking
check "wheels without a library are refused" answers 1 "does not hold" --no-packages
check "they leave nothing half" clean
check "they leave no target" test ! -e "$target"

export PIP_MODE=killed
check "a killed run ends" answers 137 fetching --no-packages
check "it leaves its folder" test "$(find "$OWQ_DEPS" -maxdepth 1 -name '.unpacking*' | wc -l)" = 1

export PIP_MODE=good
check "the next run unpacks" answers 0 "setup: ready" --no-packages
check "and clears what the killed one left" clean
check "libraries and headers are there" test -s "$target/torch/include/ATen/ATen.h" -a -s "$target/nvidia/cu13/lib/libcupti.so.13"
check "the CUDA half is left out" test ! -e "$target/torch/lib/libtorch_cuda.so"
check "Python is left out" test ! -e "$target/torch/nn.py"
check "profiling libraries are left out" test ! -e "$target/nvidia/cu13/lib/libnvperf_host.so"

before=$(wc -l <"$PIP_LOG")
check "a second run finds it" answers 0 "is there" --no-packages
check "and fetches nothing" downloads "$before"

rm "$target/torch/lib/libc10.so"
check "a damaged tree is mended" answers 0 "unpacking it" --no-packages
check "the missing library is back" test -s "$target/torch/lib/libc10.so"

cpu=$(stat -c %i "$target/torch/lib/libc10.so")
check "the CUDA half is unpacked on request" answers 0 "about 3 GB" --no-packages --cuda
check "all in place of what was there" test "$(stat -c %i "$target/torch/lib/libc10.so")" != "$cpu"
check "it is there with NVIDIA's libraries" test -s "$target/torch/lib/libtorch_cuda.so" -a -s "$target/nvidia/cudnn/lib/libcudnn_ops.so.9"
check "and states its version" test -s "$target/torch/version.py"
check "NVIDIA's headers are left out" test ! -e "$target/nvidia/cu13/include/cublas.h"
check "nothing half is left" clean
before=$(wc -l <"$PIP_LOG")
check "with or without the option it is found" answers 0 "is there" --no-packages --cuda
check "and kept" answers 0 "is there" --no-packages
check "nothing is fetched again" downloads "$before"
same=$(diff <(grep ^torch "$(dirname "$setup")/libtorch.txt") <(grep ^torch "$(dirname "$setup")/libtorch-cuda.txt"))
check "both lists name the same PyTorch" test -z "$same"

[ $failures = 0 ] || { echo "$failures checks failed"; exit 1; }
