#!/usr/bin/env bash
# From nothing to a served answer: installs what is missing, builds, starts relud
# with the models in deploy/models, sends it real rows, prints the predictions
# beside the true labels, and stops the server.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n== %s\n' "$1"; }

step "Installing what is missing"
deploy/install-deps.sh

step "Building relud and reluctl (a few minutes the first time)"
# Whoever has configured it already may want the tests, too.
if [[ ! -e build/release/build.ninja ]]; then
  cmake --preset release -DBUILD_TESTING=OFF >/dev/null
fi
cmake --build --preset release --target relud reluctl

step "Starting relud with the models in deploy/models"
log=$(mktemp)
# Ports 0: any free ones, so that this works beside whatever else is running.
build/release/server/relud --model-repository=deploy/models \
  --grpc-address=127.0.0.1 --grpc-port=0 --http-port=0 --metrics-port=0 \
  --lame-duck=0 2>"$log" &
server=$!
# Called by the trap: the server never outlives this script.
# shellcheck disable=SC2317
stop() {
  kill -TERM "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  rm -f "$log"
}
trap stop EXIT

address=
for _ in {1..200}; do
  address=$(sed -nE 's/.*gRPC on ([0-9.]+:[0-9]+).*/\1/p' "$log" | head -n 1)
  [[ -n $address ]] && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.05
done
cat "$log"
if [[ -z $address ]]; then
  echo "quickstart.sh: relud did not start; its log is above" >&2
  exit 1
fi
export RELUCTL_SERVER=$address
reluctl=build/release/client/reluctl
"$reluctl" health
"$reluctl" models

for model in mnist_256x128 digits_mlp credit_embed; do
  step "$model: predictions beside the true labels"
  "$reluctl" infer "$model" --input "deploy/models/$model/rows.csv" \
    --label last --show 10
done

step "Stopping relud"
trap - EXIT
kill -TERM "$server"
status=0
wait "$server" || status=$?
rm -f "$log"
echo "relud ended with exit code $status"
exit "$status"
