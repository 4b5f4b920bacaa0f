#!/usr/bin/env bash
# The Debian packages hold what they should, the service is sound, and what was
# unpacked serves.
#
#   package_test.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:?BUILD}
work=$(mktemp -d)
server=
cleanup() {
  [[ -z $server ]] || kill -KILL "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
fail() {
  echo "$0: $*" >&2
  exit 1
}

cpack --config "$build/CPackConfig.cmake" -B "$work" >"$work/log" 2>&1 ||
  fail "cpack: $(cat "$work/log")"
package=$(echo "$work"/relud_*.deb)
development=$(echo "$work"/librelu-client-dev_*.deb)

field() { dpkg-deb -f "$1" "$2"; }
[[ $(field "$package" Depends) == *libgrpc++* ]] || fail "relud depends on no gRPC"
[[ $(field "$development" Depends) == *libgrpc++-dev* ]] || fail "the library depends on no gRPC"
[[ $(dpkg-deb -I "$package" conffiles) == /etc/default/relud ]] || fail "the settings are no conffile"

root=$work/root
dpkg-deb -x "$package" "$root"
dpkg-deb -x "$development" "$work/development"
[[ -e $work/development/usr/include/relud/client/inference_client.h ]] || fail "no headers"
[[ -d $root/var/lib/relud/models ]] || fail "no folder for models"
"$root/usr/bin/reluctl" --version >/dev/null

# --- The service --------------------------------------------------------------
unit=$root/usr/lib/systemd/system/relud.service
# With the program where it is unpacked, else it is said to be missing.
sed "s#^ExecStart=/usr#ExecStart=$root/usr#" "$unit" >"$work/relud.service"
systemd-analyze verify --man=no "$work/relud.service" || fail "systemd does not take the unit"
# From 0 (safe) to 100.
systemd-analyze security --offline=yes --threshold=15 "$work/relud.service" \
  >"$work/log" || fail "the service is exposed: $(tail -n 1 "$work/log")"

setting() { sed -nE "s/^#?$1=(.*)/\\1/p" "$root/etc/default/relud"; }
stop=$(sed -n 's/^TimeoutStopSec=//p' "$unit")
needed=$(($(setting RELUD_LAME_DUCK) + $(setting RELUD_DRAIN_TIMEOUT)))
((stop > needed)) || fail "TimeoutStopSec=$stop, but lame duck and drain take $needed s"

# --- It serves, with the settings of the package ------------------------------
cp -r deploy/models/digits_mlp "$root/var/lib/relud/models/"
sed "s#^RELUD_MODEL_REPOSITORY=#&$root#" "$root/etc/default/relud" >"$work/settings"
# shellcheck disable=SC2046
env $(grep -v '^#' "$work/settings") RELUD_LAME_DUCK=0 RELUD_GRPC_PORT=0 \
  RELUD_GRPC_ADDRESS=127.0.0.1 RELUD_HTTP_PORT=0 RELUD_METRICS_PORT=0 \
  "$root/usr/bin/relud" 2>"$work/log" &
server=$!
for _ in {1..200}; do
  address=$(sed -nE 's/.*gRPC on ([0-9.:]+),.*/\1/p' "$work/log")
  [[ -z $address ]] || break
  sleep 0.05
done
"$root/usr/bin/reluctl" --server="$address" health digits_mlp || fail "$(cat "$work/log")"
kill -TERM "$server"
wait "$server" || fail "relud ended with $?"
server=
echo "$(basename "$package"), $(stat -c %s "$package") bytes, and $(basename "$development") are sound"
