#!/usr/bin/env bash
# deploy/quickstart.sh does what README.md promises, from another folder. ctest
# runs it after the build: nothing is left to install, so that it needs neither
# root nor the network, and to be sure it gets neither apt-get nor sudo.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "$0: $*" >&2
  exit 1
}

for program in apt-get sudo; do
  ln -s /bin/false "$work/$program"
done

cd /
PATH=$work:$PATH "$root/deploy/quickstart.sh" >"$work/log" 2>&1 ||
  fail "it ended with $?: $(cat "$work/log")"

[[ $(grep '^accuracy' "$work/log") == "\
accuracy 0.9375 (60 of 64)
accuracy 0.9688 (62 of 64)
accuracy 0.7550 (151 of 200)" ]] || fail "other accuracies: $(cat "$work/log")"
[[ $(tail -n 1 "$work/log") == "relud ended with exit code 0" ]] ||
  fail "the server did not end well: $(cat "$work/log")"
echo "the quick start works"
