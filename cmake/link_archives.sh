#!/usr/bin/env bash
# link_archives.sh SHARED LINKER ARGUMENT...: runs the linker with the archive of
# each shared library of others that has one beside it, but for those whose
# names match the pattern SHARED. Of an archive only what is used reaches the
# program, and nothing is left to be found and bound when it starts and runs.
set -euo pipefail
shopt -s extglob
shared=$1
shift
arguments=()
for argument in "$@"; do
  case "$argument" in
    */$shared) ;;
    /*.so | /*.so.*)
      archive=${argument%%.so*}.a
      # Debian keeps a few shared libraries in /lib.
      [[ -e $archive || ! -e /usr$archive ]] || archive=/usr$archive
      [[ ! -e $archive ]] || argument=$archive
      ;;
    -lre2) argument=-l:libre2.a ;;  # As gRPC names it.
  esac
  arguments+=("$argument")
done
exec "${arguments[@]}"
