#!/usr/bin/env bash
# container_test.sh IMAGE: runs it as a careful user would, with nothing that it
# does not need, and sends it real rows.
set -euo pipefail
cd "$(dirname "$0")/../.."
image=${1:?IMAGE}
. tests/deploy/budgets.env
name=relud-container-test
space=$name
work=$(mktemp -d)

load=
cleanup() {
  [[ -z $load ]] || kill -KILL "$load" 2>/dev/null || true
  podman rm --force --time 1 "$name" >/dev/null 2>&1 || true
  ip netns del "$space" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
fail() {
  echo "$0: $*" >&2
  podman logs "$name" >&2 || true
  exit 1
}
inspect() { podman inspect "$name" --format "$1"; }

# --- What the image says of itself --------------------------------------------
label() { podman image inspect "$image" --format "{{index .Labels \"org.opencontainers.image.$1\"}}"; }
bytes=$(podman image inspect "$image" --format '{{.Size}}')
echo "image: $bytes bytes, version $(label version), revision $(label revision)"
((bytes <= IMAGE_BYTES)) || fail "the image has $bytes bytes, the budget is $IMAGE_BYTES"
[[ "relud $(label version)" == "$("$RELUD" --version)" ]] || fail "the label names another version than relud"
[[ $(label revision) != unknown ]] || fail "the image has no revision"

# --- Run ------------------------------------------------------------------------
# A network of its own without a way out, so that the usual ports are free.
# (nsenter, as "ip netns exec" would hide the cgroups from the container.)
ip netns add "$space"
ip -n "$space" link set lo up
network=(nsenter "--net=/var/run/netns/$space")
"${network[@]}" podman run --detach --name "$name" --network host --read-only \
  --cap-drop all --security-opt no-new-privileges --memory 128m --cpus 1 \
  --pids-limit 64 --volume "$PWD/deploy/models:/models:ro" \
  --env RELUD_LAME_DUCK=1 "$image" >/dev/null

# What Docker does every ten seconds.
healthy() { "${network[@]}" podman healthcheck run "$name" >/dev/null 2>&1; }
for _ in {1..100}; do
  ! healthy || break
  sleep 0.1
done
healthy || fail "it does not become healthy"

status() { sed -n "s/^$1:\\s*//p" "/proc/$(inspect '{{.State.Pid}}')/status"; }
[[ $(status Uid) == 65532$'\t'* ]] || fail "it runs as $(status Uid)"
[[ $(status CapBnd) == 0000000000000000 ]] || fail "it could get the capabilities $(status CapBnd)"
[[ $(status NoNewPrivs) == 1 ]] || fail "it may gain privileges"
[[ $(status Seccomp) == 2 ]] || fail "no system call is filtered"
# Of two CPUs it got one.
podman logs "$name" 2>&1 | grep -q ' 1 threads' || fail "it does not know its CPU limit"

"${network[@]}" "$RELUCTL" infer mnist_256x128 --label=last --show=1 \
  --input=deploy/models/mnist_256x128/rows.csv >"$work/answers"
grep -qF '(60 of 64)' "$work/answers" || fail "the answers are wrong"
# The names and units of nv_* are Triton's, and not as promtool wants them.
"${network[@]}" curl -sf http://127.0.0.1:8002/metrics | grep -vE '^(# [A-Z]+ )?nv_' |
  promtool check metrics
"${network[@]}" podman exec "$name" /usr/bin/reluctl models | tee "$work/models"
(($(grep -c READY "$work/models") == 3)) || fail "not all models are ready"

# --- The end ----------------------------------------------------------------------
# While calls come in and out: none fails before the server says that it ends,
# and what it says is UNAVAILABLE, not an answer that is cut off.
"${network[@]}" node tests/deploy/load.mjs 127.0.0.1:8001 100 --fail-fast \
  >"$work/load" &
load=$!
for _ in {1..100}; do
  ! grep -qs answered "$work/load" || break
  sleep 0.1
done
"${network[@]}" podman stop --time 30 "$name" >/dev/null 2>&1
kill -TERM "$load"
wait "$load"
load=
tail -n 1 "$work/load"
grep -q '"answered":[1-9]' "$work/load" || fail "no call was answered"
! grep -E '^[A-Z_]+: ' "$work/load" | grep -v '^UNAVAILABLE' || fail "calls were cut off"
[[ $(inspect '{{.State.ExitCode}}') == 0 ]] || fail "it ended with $(inspect '{{.State.ExitCode}}')"
podman logs "$name" 2>&1 | grep -q 'every request was answered' || fail "requests were lost"
