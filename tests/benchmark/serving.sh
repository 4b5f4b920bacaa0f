#!/usr/bin/env bash
# Installs what is missing, builds, and measures the server beside a null RPC:
# prints a table and writes it to a page. Takes CPUs 0 and 1 for
# about six minutes.
#
#   tests/benchmark/serving.sh [OPTION of serving_benchmark...]
#
# With options it writes nothing. PAGE is the page (default: docs/benchmarks.md),
# NOTE a sentence for it.
set -euo pipefail
cd "$(dirname "$0")/../.."

deploy/install-deps.sh --test
cmake --preset release -DBUILD_TESTING=ON >/dev/null
cmake --build --preset release --parallel "${JOBS:-$(nproc)}" \
  --target relud serving_benchmark

benchmark=(build/release/tests/benchmark/serving_benchmark build/release/server/relud)
if (($# > 0)); then
  exec "${benchmark[@]}" "$@"
fi
results=build/release/serving.json
"${benchmark[@]}" --rounds=15 --json="$results"
tests/benchmark/write_serving.py "$results" "${PAGE:-docs/benchmarks.md}" ${NOTE:+"$NOTE"}
