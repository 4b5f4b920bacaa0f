#!/usr/bin/env bash
# fresh_system_test.sh BASE BUILD: the Debian package, installed with all that it
# depends on in a system that has nothing but Debian's base, serves real rows.
set -euo pipefail
cd "$(dirname "$0")/../.."
base=${1:?BASE}
build=${2:?BUILD}
work=$(mktemp -d)
container=$(buildah from "$base")
trap 'buildah rm "$container" >/dev/null; rm -rf "$work"' EXIT

cpack --config "$build/CPackConfig.cmake" -B "$work" >/dev/null
cp -r deploy/models "$work/models"
# shellcheck disable=SC2016  # For the shell inside.
buildah run --isolation chroot --network host --volume "$work:/staging" "$container" -- bash -euc '
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends /staging/relud_*.deb >/dev/null
  test -f /etc/default/relud
  cp -r /staging/models/. /var/lib/relud/models/
  RELUD_MODEL_REPOSITORY=/var/lib/relud/models RELUD_GRPC_PORT=0 RELUD_HTTP_PORT=0 RELUD_METRICS_PORT=0 \
    RELUD_GRPC_ADDRESS=127.0.0.1 relud 2>/staging/log &
  for i in $(seq 100); do
    address=$(sed -nE "s/.*gRPC on ([0-9.:]+),.*/\1/p" /staging/log)
    test -z "$address" || break
    sleep 0.1
  done
  reluctl --server="$address" infer mnist_256x128 --label=last --show=1 \
    --input=/staging/models/mnist_256x128/rows.csv | tee /staging/answers
  grep -F "(60 of 64)" /staging/answers
  kill %1
  wait %1
  apt-get purge -y -qq relud >/dev/null
  test ! -e /usr/bin/relud -a ! -e /etc/default/relud'
