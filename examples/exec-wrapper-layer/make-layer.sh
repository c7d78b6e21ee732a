#!/bin/sh
# Makes the layer's zip: make-layer.sh [ARCHIVE] [ZIP]. The archive is the one for AWS's own Python runtimes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
archive=${1:-$here/../../dist/run-lambda-entrypoint-aws-base.pyz}
zip=${2:-$here/layer.zip}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Lambda unpacks a layer to /opt, and keeps the mode that the zip says.
cp "$archive" "$folder/run-lambda-entrypoint.pyz"
chmod 0755 "$folder/run-lambda-entrypoint.pyz"
rm -f "$zip"
python3 -m zipfile --create "$zip" "$folder/run-lambda-entrypoint.pyz"
