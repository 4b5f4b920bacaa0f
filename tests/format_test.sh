#!/usr/bin/env bash
# All sources have the layout of .clang-format, and shellcheck is content with
# all scripts.
set -euo pipefail
cd "$(dirname "$0")/.."
find core server client deploy tests -name node_modules -prune -o \
  \( -name '*.h' -o -name '*.cc' \) -print0 |
  xargs -0 clang-format --dry-run -Werror
shellcheck -x .ci/run cmake/*.sh deploy/*.sh deploy/*/*.sh deploy/debian/p* tests/*.sh tests/deploy/*.sh
echo "the format is in order"
