#!/usr/bin/env bash
# Installs what is missing, builds, and runs all tests.
#
#   tests/run.sh           everything: release, ASan+UBSan, TSan, clang, fuzzers
#   tests/run.sh --quick   the release build alone, for the edit-test loop
#
# JOBS=n builds and tests with n jobs (default: the number of CPUs).
# FUZZ_SECONDS=n runs each fuzzer for n seconds (default: 20).
set -euo pipefail
cd "$(dirname "$0")/.."

quick=false
case "${1:-}" in
  "") ;;
  --quick) quick=true ;;
  *)
    echo "usage: tests/run.sh [--quick]" >&2
    exit 2
    ;;
esac
jobs=${JOBS:-$(nproc)}

step() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }

# check PRESET UNIT_TESTS: builds and runs. Ninja shows the progress.
check() {
  step "build: $1"
  cmake --preset "$1" -DBUILD_TESTING="$2" >/dev/null
  cmake --build --preset "$1" --parallel "$jobs"
  step "test: $1"
  ctest --preset "$1" --parallel "$jobs"
}

step "packages"
deploy/install-deps.sh --test

if ! $quick; then
  # gRPC, as Debian builds it, cannot run under TSan: core alone does.
  check tsan ON
  check asan ON
  # The compiler checks the locks (-Wthread-safety); the fuzzers run.
  check clang OFF
fi
# Last, so that the run ends with the verdict on what we ship.
check release ON
step "done"
