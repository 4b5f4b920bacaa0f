#!/usr/bin/env bash
# write_sbom.sh VERSION: from the lines of list_components.sh on standard input
# to a bill of materials in CycloneDX 1.5.
set -euo pipefail
version=${1:?VERSION}

# In a package URL, '+', ':' and '~' stand for themselves only if encoded.
encode() { printf '%s' "$1" | sed 's/%/%25/g; s/+/%2B/g; s/:/%3A/g; s/~/%7E/g'; }

cat <<END
{
  "bomFormat": "CycloneDX",
  "specVersion": "1.5",
  "version": 1,
  "metadata": {
    "component": {
      "type": "application",
      "bom-ref": "relud",
      "name": "relud",
      "version": "$version",
      "licenses": [{"license": {"id": "Apache-2.0"}}]
    }
  },
  "components": [
END
separator=
while read -r package package_version architecture source source_version; do
  url="pkg:deb/debian/$(encode "$package")@$(encode "$package_version")?arch=$architecture&distro=debian-12&upstream=$(encode "$source")%40$(encode "$source_version")"
  printf '%s    {"type": "library", "bom-ref": "%s", "name": "%s", "version": "%s", "purl": "%s"}' \
    "$separator" "$package" "$package" "$package_version" "$url"
  separator=$',\n'
done
printf '\n  ]\n}\n'
