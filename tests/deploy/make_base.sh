#!/usr/bin/env bash
# make_base.sh NAME: makes Debian's slim image of packages, as this machine gets
# them, for builds where no registry of images can be reached.
set -euo pipefail
name=${1:?NAME}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for sources in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list; do
  [[ ! -s $sources ]] || break
done

# The official image is without these, but for the licences.
options=(--dpkgopt='path-include=/usr/share/doc/*/copyright')
for folder in man doc info locale lintian groff linda; do
  options=(--dpkgopt="path-exclude=/usr/share/$folder/*" "${options[@]}")
done
# Merged /usr from the start: else the package usrmerge brings Perl.
mmdebstrap --quiet --variant=apt --aptopt='APT::Install-Recommends "false"' \
  "${options[@]}" --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
  --include=usr-is-merged,debian-archive-keyring,tzdata,passwd,mount,adduser \
  bookworm "$work/base.tar" "$sources"

# The official image keeps no downloaded packages. Added at the end, as
# mmdebstrap's own cleaning would work against it.
cat >"$work/docker-clean" <<'END'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";
END
tar -rf "$work/base.tar" --owner=0 --group=0 --mode=644 \
  --transform='s,.*,./etc/apt/apt.conf.d/docker-clean,' "$work/docker-clean"
podman import --quiet --change 'CMD ["bash"]' "$work/base.tar" "$name"
