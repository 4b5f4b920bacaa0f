#!/usr/bin/env bash
# Makes the test cases of ONNX and runs them through the product.
#
#   tests/conformance/conformance_test.sh RUNNER FOLDER
#
# FOLDER is made anew. Debian's Python has the package; another may not.
set -euo pipefail
cd "$(dirname "$0")"
runner=$1
folder=$2
rm -rf "$folder"
/usr/bin/python3 make_cases.py "$folder"
"$runner" "$folder"
