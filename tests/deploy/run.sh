#!/usr/bin/env bash
# All that is deployed, tried for real: with containers, without a Docker engine.
#
#   tests/deploy/run.sh          the image holds the programs of build/release
#   tests/deploy/run.sh --long   also builds the image from the sources, as users
#                                do: as long as a first build takes
#
# Runs as root: containers, network namespaces. The base image and the container
# storage stay in ~/.cache/relud-containers for the next run.
set -euo pipefail
cd "$(dirname "$0")/../.."

long=false
case "${1:-}" in
  "") ;;
  --long) long=true ;;
  *)
    echo "usage: tests/deploy/run.sh [--long]" >&2
    exit 2
    ;;
esac
step() { printf '\n== %s (%d s)\n' "$1" "$SECONDS"; }

step "packages"
deploy/install-deps.sh --test --containers

step "build"
cmake --preset release -DBUILD_TESTING=ON >/dev/null
cmake --build --preset release --parallel "${JOBS:-$(nproc)}" \
  --target relud reluctl relud_image

step "without containers"
ctest --preset release -L deploy

cache=${XDG_CACHE_HOME:-$HOME/.cache}/relud-containers
mkdir -p "$cache"
printf '[storage]\ndriver = "overlay"\nrunroot = "%s/run"\ngraphroot = "%s/storage"\n' \
  "$cache" "$cache" >"$cache/storage.conf"
export CONTAINERS_CONF=$PWD/tests/deploy/containers.conf
export CONTAINERS_STORAGE_CONF=$cache/storage.conf
export RELUD=$PWD/build/release/server/relud
export RELUCTL=$PWD/build/release/client/reluctl
base=docker.io/library/debian:bookworm-slim
image=docker.io/library/relud:0.1.0

step "base image"
podman image exists "$base" || tests/deploy/make_base.sh "$base"

step "image"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
build_image() {
  buildah build --quiet --format docker --isolation chroot --network host \
    --build-arg REVISION="$(git rev-parse --short HEAD)" \
    -f deploy/Dockerfile -t "$image" "$@" .
}
if $long; then
  # No network but that of the packages; two processes, as everywhere.
  build_image
else
  deploy/image/make_root.sh build/release "$work/root-of-image"
  build_image --build-context root="$work"
fi

step "container"
tests/deploy/container_test.sh "$image"

step "Compose"
tests/deploy/compose_test.sh

step "Debian package on a fresh system"
tests/deploy/fresh_system_test.sh "$base" build/release

step "done"
