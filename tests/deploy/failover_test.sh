#!/usr/bin/env bash
# Three servers on hosts of their own behind one DNS name, a client that
# balances, and under its load: one server freezes and is killed, one loses its
# network, and all are replaced one after the other, as in a roll-out. No call
# may fail, and no answer may be wrong. Without retries, calls do fail: else
# this test would show nothing.
#
#   RELUD=.. RELUCTL=.. failover_test.sh      needs root, dnsmasq, node
set -euo pipefail
cd "$(dirname "$0")/../.."
if ((EUID != 0)); then
  echo "skipped: network namespaces need root"
  exit 77
fi
. tests/deploy/hosts.sh

rate=${RATE:-200}
flags=(--model-repository=deploy/models --lame-duck=1)
servers=(h1 h2 h3)

say() { printf '[%2d s] %s\n' "$SECONDS" "$*"; }

start_load() {
  : >"$work/client.log"
  launch client node tests/deploy/load.mjs dns:///relud.test:8001 "$rate" "$@"
  more_answers 50
}

answers() { grep -c '^answered' "$work/client.log" || true; }

# more_answers COUNT: waits until the client has so many more. Whatever happens
# meanwhile happens under load, however slow the machine is.
more_answers() {
  local wanted=$(($(answers) + $1 / 20)) end=$((SECONDS + 100))
  until (($(answers) >= wanted)); do
    ((SECONDS < end)) || fail "the client gets no answers"
    sleep 0.05
  done
}

stop_load() {
  kill -TERM "${pid_of[client]}"
  wait "${pid_of[client]}" || fail "the client broke"
  tail -n 1 "$work/client.log" >"$work/load.json"
  say "$(cat "$work/load.json")"
}

# count FIELD: a figure of the client; of "failed" the sum.
count() {
  node -e '
    const value = JSON.parse(require("fs").readFileSync(process.argv[1]))[process.argv[2]];
    console.log(typeof value === "object" ? Object.values(value).reduce((a, b) => a + b, 0) : value);
  ' "$work/load.json" "$1"
}

freeze_and_kill() {
  kill -STOP "${pid_of[$1]}"
  # Calls to it hang now.
  more_answers 20
  kill -KILL "${pid_of[$1]}"
  wait "${pid_of[$1]}" 2>/dev/null || true
}

replace() {
  local code=0
  kill -TERM "${pid_of[$1]}"
  wait "${pid_of[$1]}" || code=$?
  ((code == 0)) || fail "$1 ended with $code"
  start_relud "$1" "${flags[@]}"
}

make_hosts client "${servers[@]}"
publish relud.test "${servers[@]}"
for server in "${servers[@]}"; do
  start_relud "$server" "${flags[@]}"
done

say "load without retries: h2 freezes and is killed"
start_load --no-retries
freeze_and_kill h2
more_answers 50
stop_load
(($(count failed) > 0)) || fail "no call failed though a server was killed"
start_relud h2 "${flags[@]}"

say "load with retries: h2 freezes and is killed"
start_load
freeze_and_kill h2
more_answers 200
start_relud h2 "${flags[@]}"
more_answers 200
say "h3 loses its network"
unplug h3
# Until the client has given it up.
more_answers 200
plug h3
more_answers 200
for server in "${servers[@]}"; do
  say "$server is replaced"
  replace "$server"
  more_answers 200
done
# Each takes part again.
rows_of() {
  on "$1" curl -sf http://127.0.0.1:8002/metrics |
    sed -n 's/^relu_rows_total{model="digits_mlp".*} //p'
}
serves() { (($(rows_of "$1") > 0)); }
for server in "${servers[@]}"; do
  wait_until 60 serves "$server" || fail "$server gets no requests"
done
stop_load
(($(count failed) == 0)) || fail "calls failed: $(grep -E '^[A-Z_]+: ' "$work/client.log" | sort | uniq -c)"
(($(count wrong) == 0)) || fail "answers differ"
(($(count answered) == $(count sent))) || fail "calls are lost"
echo "no call failed"
