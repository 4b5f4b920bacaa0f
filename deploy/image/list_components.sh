#!/usr/bin/env bash
# list_components.sh BUILD: the Debian packages that parts of the program of the
# image come from, one a line: package, version, architecture, source package,
# its version. Headers are taken from what the compiler read, archives from the
# linker's map, shared libraries from the program.
set -euo pipefail
cd "${1:?BUILD}"
program=deploy/image/relud
# shellcheck disable=SC2016  # dpkg-query expands them.
format='${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\n'

files() {
  ninja -t deps | grep -oE '^ +\S+\.(h|hh|hpp|inc)$' | tr -d ' '
  grep -oE '^/\S+\.a\(' "$program.map" | tr -d '('
  ldd "$program" | grep -oE '/\S+'
}

# A path may lead through links (/lib is /usr/lib), and packages name the one or
# the other.
names() {
  sort -u | xargs realpath | grep '^/usr/' | sort -u | sed 'p; s#^/usr##'
}

# Headers of the C library, the compiler and the kernel are interfaces: of them
# nothing is in the program that the libraries do not stand for.
files | names | { xargs dpkg-query -S 2>/dev/null || true; } |
  cut -d : -f 1 | sort -u |
  grep -vE '^(libc6-dev|libstdc\+\+-[0-9]+-dev|linux-libc-dev|libgcc-[0-9]+-dev)$' |
  xargs dpkg-query -W -f "$format"
