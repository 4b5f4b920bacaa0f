#!/usr/bin/env bash
# Installs what is missing, builds, and runs all tests.
#
#   tests/run.sh           everything: TSan, ASan+UBSan and fuzzers, release
#   tests/run.sh --quick   the release build alone, for the edit-test loop
#
# JOBS=n builds with n jobs, and runs 2n tests at once (default: the number of
# CPUs).
# FUZZ_SECONDS=n runs each fuzzer for n seconds (default: 60).
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

# check PRESET: builds and runs. Ninja shows the progress.
check() {
  step "build: $1"
  cmake --preset "$1" -DBUILD_TESTING=ON >/dev/null
  cmake --build --preset "$1" --parallel "$jobs"
  step "test: $1"
  # Most tests of servers wait rather than compute: more than CPUs at once.
  ctest --preset "$1" --parallel "$((2 * jobs))"
}

step "packages"
deploy/install-deps.sh --test

if ! $quick; then
  # gRPC, as Debian builds it, cannot run under TSan: core alone does.
  check tsan
  # The fuzzers run, too, and clang checks the locks (-Wthread-safety).
  check asan
fi
# Last, so that the run ends with the verdict on what we ship.
check release
step "done"
