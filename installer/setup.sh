#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Brings a Debian 12 or Ubuntu 24.04 machine to where OWQ Workbench builds: the packages of packages.txt that are
# missing, and LibTorch, unpacked once for all checkouts. What is already there is left alone; a second call does nothing.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=2.11.0
deps=${OWQ_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/owq-workbench}
target=$deps/libtorch-$version

usage() {
    cat <<END
usage: installer/setup.sh [--no-packages] [--list] [--cuda]
  --no-packages  leave the system's packages alone, only unpack LibTorch
  --list         name the packages that are missing, change nothing
  --cuda         LibTorch with its CUDA half, for owq quantize --device cuda. Only for machines with an NVIDIA GPU and a
                 driver for CUDA 13: about 3 GB to fetch, 6 GB unpacked. What is there without it is replaced
LibTorch goes to $target
(another folder: OWQ_DEPS=FOLDER, the same for CMake: -DOWQ_DEPS=FOLDER)
END
}
say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: error: %s\n' "$*" >&2; exit 1; }

packages=1 list=0 cuda=0
for argument in "$@"; do
    case $argument in
        --no-packages) packages=0 ;;
        --list) list=1 ;;
        --cuda) cuda=1 ;;
        -h|--help) usage; exit 0 ;;
        *) usage >&2; exit 2 ;;
    esac
done

# --- packages ---------------------------------------------------------------------------------------------------
installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# The entries of packages.txt of which no alternative is installed.
missing_packages() {
    local entries entry name
    read -r -d '' -a entries < <(sed 's/#.*//' "$here/packages.txt") || true
    for entry in "${entries[@]}"; do
        for name in ${entry//|/ }; do
            installed "$name" && continue 2
        done
        echo "$entry"
    done
}

# Of "a|b" the first that this distribution has.
choose() {
    local name policy
    for name in ${1//|/ }; do
        policy=$(LC_ALL=C apt-cache policy "$name" 2>/dev/null)
        if [[ $policy == *Candidate:\ [!\(]* ]]; then echo "$name"; return; fi
    done
    fail "no package called ${1//|/ or } here. Debian 12 and Ubuntu 24.04 (with universe) have it; elsewhere install its counterpart and call setup.sh --no-packages"
}

install_packages() {
    command -v apt-get >/dev/null ||
        fail "this is no Debian or Ubuntu. Install the counterparts of the packages in installer/packages.txt, then call setup.sh --no-packages"
    local missing entry names=() root=()
    missing=$(missing_packages)
    if [ -z "$missing" ]; then say "all packages are there"; return; fi
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            fail "these packages are missing, and there is no sudo to install them with. As root: apt-get install ${missing//$'\n'/ }"
        root=(sudo)
    fi
    say "refreshing the package lists"
    "${root[@]}" apt-get -o Acquire::Retries=3 -qq update || say "the package lists could not be refreshed; going on with those that are here"
    for entry in $missing; do
        name=$(choose "$entry")
        names+=("$name")
    done
    say "installing: ${names[*]}"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 -qq -y \
        --no-install-recommends install "${names[@]}" >/dev/null ||
        fail "apt-get could not install the packages; its messages stand above"
}

# --- LibTorch ---------------------------------------------------------------------------------------------------
needed=(torch/lib/libtorch_cpu.so torch/lib/libc10.so torch/lib/libgomp.so.1 nvidia/cu13/lib/libcudart.so.13
    nvidia/cu13/lib/libcupti.so.13 torch/include/ATen/ATen.h torch/include/torch/csrc/api/include/torch/torch.h)
wheels=libtorch.txt fetched="530 MB" room=1300 after=550
if [ $cuda = 1 ]; then
    needed+=(torch/lib/libtorch_cuda.so torch/lib/libtorch_cuda_linalg.so torch/lib/libc10_cuda.so torch/version.py
        nvidia/cu13/lib/libcublas.so.13 nvidia/cu13/lib/libcusolver.so.12 nvidia/cudnn/lib/libcudnn.so.9)
    wheels=libtorch-cuda.txt fetched="about 3 GB" room=10000 after=6000
fi

complete() {
    local file
    for file in "${needed[@]}"; do [ -s "$1/$file" ] || return 1; done
}

# extract NAME PATTERN… : these files of the wheel NAME-*.whl
extract() {
    local name=$1
    shift
    unzip -q "$work/wheels/$name"-*.whl "$@" -d "$work/tree" || fail "the wheel of $name does not hold what it should; please report this"
}

unpack_libtorch() {
    if complete "$target"; then say "LibTorch $version is there: $target"; return; fi
    [ "$(uname -m)" = x86_64 ] || fail "OWQ Workbench is made for 64-bit x86; this machine is $(uname -m)"
    local tool
    for tool in python3 unzip flock; do
        command -v $tool >/dev/null || fail "$tool is needed to unpack LibTorch. Install it, or call setup.sh without --no-packages"
    done
    python3 -m pip --version >/dev/null 2>&1 || fail "python3 has no pip. Install python3-pip, or call setup.sh without --no-packages"

    mkdir -p "$deps" || fail "cannot make $deps; name another folder with OWQ_DEPS"
    exec 9>"$deps/.lock"
    flock -n 9 || { say "another set-up is unpacking LibTorch, waiting for it"; flock 9; }
    if complete "$target"; then say "LibTorch $version is there: $target"; return; fi
    rm -rf "$deps"/.unpacking.*  # what a killed run left; the lock says that none is running
    local free
    free=$(df -Pk "$deps" | awk 'NR == 2 {print int($4 / 1024)}')
    [ "$free" -ge $room ] || fail "$deps has $free MB free; LibTorch needs $room MB while it is unpacked, $after MB after"

    work=$(mktemp -d "$deps/.unpacking.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    say "fetching LibTorch $version ($fetched, once)"
    # The wheel of one Python version on every machine: the C++ half is the same in all of them, and Python is not used.
    local platforms=() glibc
    for glibc in 28 27 25 18 17; do platforms+=(--platform "manylinux_2_${glibc}_x86_64"); done
    TMPDIR=$work python3 -m pip download --quiet --disable-pip-version-check --no-cache-dir --no-deps --only-binary=:all: \
        --implementation cp --python-version 3.11 --abi cp311 --abi none "${platforms[@]}" --platform manylinux2014_x86_64 \
        --require-hashes --requirement "$here/$wheels" --dest "$work/wheels" ||
        fail "LibTorch could not be fetched; pip's message stands above. Nothing was left behind: call setup.sh again"

    say "unpacking it"
    mkdir "$work/tree"
    extract torch 'torch/include/*' torch/lib/libtorch_cpu.so torch/lib/libc10.so torch/lib/libgomp.so.1 '*.dist-info/licenses/*'
    extract nvidia_cuda_runtime nvidia/cu13/lib/libcudart.so.13 '*.dist-info/licenses/*'
    extract nvidia_cuda_cupti nvidia/cu13/lib/libcupti.so.13 '*.dist-info/licenses/*'
    if [ $cuda = 1 ]; then
        extract torch torch/lib/libtorch_cuda.so torch/lib/libtorch_cuda_linalg.so torch/lib/libc10_cuda.so torch/lib/libcaffe2_nvrtc.so \
            torch/version.py
        local wheel
        for wheel in "$work"/wheels/nvidia_*.whl; do
            unzip -qo "$wheel" '*.so*' '*.dist-info/*' -d "$work/tree" || fail "${wheel##*/} does not hold what it should; please report this"
        done
    fi
    complete "$work/tree" || fail "the wheels do not hold all of LibTorch; please report this"
    rm -rf "$target"  # incomplete, else we would not be here
    mv "$work/tree" "$target"
    say "LibTorch $version is in $target"
}

if [ $list = 1 ]; then missing_packages; exit 0; fi
if [ $packages = 1 ]; then install_packages; fi
unpack_libtorch
say "ready"
