#!/usr/bin/env bash
# Installs what relud needs from Debian 12's packages, and nothing else.
#
#   deploy/install-deps.sh          what building and running needs
#   deploy/install-deps.sh --test   also what the tests need (npm packages too)
#   deploy/install-deps.sh --test --benchmark
#                                   also the libraries that tests/benchmark
#                                   compares relud with
#   deploy/install-deps.sh --test --containers
#                                   also what tests/deploy/run.sh needs
#   deploy/install-deps.sh --aarch64
#                                   also what tests/aarch64.sh needs
#
# Does nothing, and needs no network, if everything is there already. Runs as
# root, or as a user with sudo.
set -euo pipefail
cd "$(dirname "$0")/.."

build_packages=(
  g++ cmake ninja-build pkg-config
  libabsl-dev libboost1.81-dev libcli11-dev libfmt-dev libgrpc++-dev
  libhwy-dev libnghttp2-dev libprotobuf-dev libsimdjson-dev libspdlog-dev
  libssl-dev
  nlohmann-json3-dev prometheus-cpp-dev protobuf-compiler protobuf-compiler-grpc
)
test_packages=(
  chromium clang clang-format curl dnsmasq-base iproute2 libbenchmark-dev
  libclang-rt-14-dev libgmock-dev libgtest-dev lld openssl prometheus python3
  python3-onnx shellcheck systemd
)
container_packages=(
  aardvark-dns buildah docker-compose iptables mmdebstrap netavark podman runc
)
benchmark_packages=(
  libdnnl-dev libeigen3-dev libopenblas-dev libpthreadpool-dev libxnnpack-dev
  valgrind
)
aarch64_packages=(g++-aarch64-linux-gnu mmdebstrap qemu-user)
# Of arm64, into a folder: the host's packages stay as they are.
aarch64_libraries=(
  libabsl-dev libfmt-dev libgmock-dev libgtest-dev libhwy-dev libprotobuf-dev
  prometheus-cpp-dev
)

usage() {
  echo "usage: deploy/install-deps.sh [--test] [--benchmark] [--containers] [--aarch64]" >&2
  exit 2
}

packages=("${build_packages[@]}")
with_tests=false
with_benchmarks=false
with_npm=false
with_aarch64=false
for option in "$@"; do
  case "$option" in
    --test)
      with_tests=true
      with_npm=true
      packages+=("${test_packages[@]}")
      ;;
    --benchmark)
      with_benchmarks=true
      with_npm=true
      packages+=("${benchmark_packages[@]}")
      ;;
    --containers) packages+=("${container_packages[@]}") ;;
    --aarch64)
      with_aarch64=true
      packages+=("${aarch64_packages[@]}")
      ;;
    *) usage ;;
  esac
done
# A Node.js that is there already, from wherever, will do.
if $with_npm && ! { command -v node && command -v npm; } >/dev/null; then
  packages+=(nodejs npm)
fi

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null |
    grep -q 'ok installed' || missing+=("$package")
done

if ((${#missing[@]} > 0)); then
  as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || {
      echo "install-deps.sh: run it as root, or install sudo; missing: ${missing[*]}" >&2
      exit 1
    }
    as_root=(sudo)
  fi
  echo "Installing ${#missing[@]} Debian packages: ${missing[*]}"
  "${as_root[@]}" apt-get update
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${missing[@]}"
fi

if $with_tests && [[ ! -e tests/node_modules/.package-lock.json ||
  tests/package-lock.json -nt tests/node_modules/.package-lock.json ]]; then
  echo "Installing the npm packages of tests/package.json"
  # Not `npm ci`: it refuses a lock file without the packages of platforms that a
  # mirror does not carry. This installs what the lock file says, unchanged.
  (cd tests && npm install --no-save --no-audit --no-fund)
fi

if $with_benchmarks && [[ ! -e tests/benchmark/node_modules/.package-lock.json ||
  tests/benchmark/package.json -nt tests/benchmark/node_modules/.package-lock.json ]]; then
  echo "Installing the npm packages of tests/benchmark/package.json"
  # Its script would fetch a GPU's libraries from elsewhere; the package has all
  # that a CPU needs.
  (cd tests/benchmark &&
    npm install --no-save --no-audit --no-fund --no-package-lock --ignore-scripts)
fi

sysroot=build/aarch64-sysroot
if $with_aarch64 &&
  [[ $(cat "$sysroot/packages" 2>/dev/null) != "${aarch64_libraries[*]}" ]]; then
  echo "Unpacking ${#aarch64_libraries[@]} Debian packages of arm64 into $sysroot"
  for sources in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
    [[ ! -s $sources ]] || break
  done
  rm -rf "$sysroot"
  mkdir -p "$sysroot"
  # Without root: no script of a package runs.
  mmdebstrap --quiet --variant=extract --mode=chrootless --architectures=arm64 \
    --aptopt='APT::Install-Recommends "false"' \
    --include="$(IFS=, && echo "${aarch64_libraries[*]}")" \
    bookworm - "$sources" | tar -x --exclude=./dev -C "$sysroot"
  echo "${aarch64_libraries[*]}" >"$sysroot/packages"
fi
