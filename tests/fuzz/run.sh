#!/usr/bin/env bash
# Runs one libFuzzer target from its seeds, for FUZZ_SECONDS (60). What it finds
# is written to the current folder: crash-..., timeout-..., oom-...
#
#   tests/fuzz/run.sh TARGET SEEDS...
set -euo pipefail

target=$1
shift
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
# An input of the largest length allowed must not take longer than `timeout`,
# nor more memory than `rss_limit_mb`, ten times what the sanitizers take.
"$target" -max_total_time="${FUZZ_SECONDS:-60}" -max_len=65536 -timeout=25 \
  -rss_limit_mb=2048 -print_final_stats=1 "$corpus" "$@"
