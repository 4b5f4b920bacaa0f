#!/usr/bin/env bash
# deploy/compose.yaml: Docker's own Compose takes it, and starts its relud by the
# Docker API of podman, in a network without a way out.
set -euo pipefail
cd "$(dirname "$0")/../.."
space=relud-compose-test
work=$(mktemp -d)
service=
cleanup() {
  [[ -z $service ]] || kill "$service" 2>/dev/null || true
  ip netns del "$space" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
fail() {
  echo "$0: $*" >&2
  exit 1
}

compose() { docker-compose --project-name relud-test -f deploy/compose.yaml "$@"; }
compose config --quiet
[[ $(compose config --services | sort | tr '\n' ' ') == "grafana prometheus relud " ]] ||
  fail "unexpected services"

ip netns add "$space"
ip -n "$space" link set lo up
network=(nsenter "--net=/var/run/netns/$space")
"${network[@]}" podman system service --time=0 "unix://$work/docker.sock" >"$work/log" 2>&1 &
service=$!
for _ in {1..100}; do
  [[ ! -S $work/docker.sock ]] || break
  sleep 0.1
done
export DOCKER_HOST=unix://$work/docker.sock

"${network[@]}" docker-compose --project-name relud-test -f deploy/compose.yaml \
  up --detach --no-build relud
ready() { "${network[@]}" "$RELUCTL" health; }
for _ in {1..100}; do
  ! ready >/dev/null 2>&1 || break
  sleep 0.1
done
ready || fail "$(compose logs relud)"
"${network[@]}" "$RELUCTL" models
"${network[@]}" curl -sf http://127.0.0.1:8002/metrics >"$work/metrics"
# The names and units of nv_* are Triton's, and not as promtool wants them.
grep -vE '^(# [A-Z]+ )?nv_' "$work/metrics" | promtool check metrics
container=$(compose ps --quiet relud)
"${network[@]}" docker-compose --project-name relud-test -f deploy/compose.yaml stop relud
[[ $(podman inspect "$container" --format '{{.State.ExitCode}}') == 0 ]] || fail "relud did not end well"
"${network[@]}" docker-compose --project-name relud-test -f deploy/compose.yaml down --volumes
