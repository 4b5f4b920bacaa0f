#!/usr/bin/env bash
# Installs what is missing, builds core for 64-bit Arm, and runs its tests in an
# emulator: whether NEON gives the bits that x86-64 gives.
#
# JOBS=n builds and tests with n jobs (default: the number of CPUs).
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=${JOBS:-$(nproc)}

deploy/install-deps.sh --aarch64
cmake --preset aarch64 -DBUILD_TESTING=ON >/dev/null
cmake --build --preset aarch64 --parallel "$jobs"
ctest --preset aarch64 --parallel "$jobs"
