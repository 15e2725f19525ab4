#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes a Debian package and a .tar.gz of the release build, for the distribution it is called on, in build/package/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
command -v dpkg-shlibdeps >/dev/null || { echo "package.sh: error: dpkg-shlibdeps is missing; install the package dpkg-dev" >&2; exit 1; }
installer/build.sh package programs
(cd build/package && cpack)
ls -l build/package/*.deb build/package/*.tar.gz
