#!/usr/bin/env bash
# Installs what is missing, builds, and measures relud's engine beside others.
#
#   tests/benchmark/run.sh           all of it, into a page and a plot
#   tests/benchmark/run.sh --quick   a part of it, in two minutes, to the terminal
#
# More options go to engine_benchmark, such as --filter='dense/A'; then nothing
# is written either. THREADS=1 leaves out two threads. PAGE is the page to write
# (default: docs/benchmarks.md; each machine has its own), NOTE a sentence for it,
# such as what else the machine was doing.
set -euo pipefail
cd "$(dirname "$0")/../.."

deploy/install-deps.sh --test --benchmark
cmake --preset release -DBUILD_TESTING=ON >/dev/null
cmake --build --preset release --parallel "${JOBS:-$(nproc)}" \
  --target engine_benchmark

case "$(uname -m)" in
  aarch64) folder=arm64 ;;
  *) folder=x64 ;;
esac
options=(--threads="${THREADS:-1,2}")
for library in tests/benchmark/node_modules/onnxruntime-node/bin/*/linux/"$folder"/libonnxruntime.so.1; do
  if [[ -e $library ]]; then
    options+=(--onnxruntime="$library")
  fi
done

benchmark=build/release/tests/benchmark/engine_benchmark
if (($# > 0)); then
  exec "$benchmark" "${options[@]}" "$@"
fi
"$benchmark" "${options[@]}" --json=build/release/benchmarks.json
tests/benchmark/write_report.py build/release/benchmarks.json "${PAGE:-docs/benchmarks.md}" "${NOTE:-}"
