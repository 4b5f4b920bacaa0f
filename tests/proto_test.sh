#!/usr/bin/env bash
# The .proto files follow the rules of buf.yaml, and nothing that clients depend
# on has changed since the baseline. After an intended change:
#   tests/node_modules/.bin/buf build --exclude-source-info -o tests/testdata/proto/baseline.binpb
set -euo pipefail
cd "$(dirname "$0")/.."
buf=tests/node_modules/.bin/buf
"$buf" lint
"$buf" breaking --against tests/testdata/proto/baseline.binpb
echo "the .proto files are in order"
