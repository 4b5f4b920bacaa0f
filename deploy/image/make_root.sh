#!/usr/bin/env bash
# make_root.sh BUILD ROOT: fills the folder ROOT with all that the container
# image holds. BUILD is a build folder with the target relud_image in it.
set -euo pipefail
build=${1:?BUILD}
root=${2:?ROOT}
here=$(cd "$(dirname "$0")" && pwd)
source=$here/../..
program=$build/deploy/image/relud

# The models are mounted here.
mkdir -p "$root/usr/bin" "$root/etc" "$root/models" "$root/usr/share/doc/relud"
strip -o "$root/usr/bin/relud" "$program"
ln -sf relud "$root/usr/bin/reluctl"

# The shared libraries with their loader, where the loader looks for them.
ldd "$program" | grep -oE '/[^ ]+' | while read -r library; do
  cp -L --parents "$library" "$root"
done

printf 'root:x:0:0::/:/sbin/nologin\nrelud:x:65532:65532::/:/sbin/nologin\n' \
  >"$root/etc/passwd"
printf 'root:x:0:\nrelud:x:65532:\n' >"$root/etc/group"

# What it is made of, with versions for scanners and the licences.
cp "$source/LICENSE" "$root/usr/share/doc/relud/LICENSE"
components=$(mktemp)
trap 'rm -f "$components"' EXIT
"$here/list_components.sh" "$build" >"$components"
"$here/write_sbom.sh" "$("$program" --version | cut -d ' ' -f 2)" \
  <"$components" >"$root/usr/share/doc/relud/sbom.cdx.json"
while read -r package _; do
  if [[ -e /usr/share/doc/$package/copyright ]]; then
    mkdir -p "$root/usr/share/doc/$package"
    # Compressed: Boost's alone is 2 MB. Without a time, so always the same bytes.
    gzip -9cn "/usr/share/doc/$package/copyright" \
      >"$root/usr/share/doc/$package/copyright.gz"
  fi
done <"$components"
