#!/bin/bash
# A step's command. The values are its arguments, in order.
set -euo pipefail
cd "$(mktemp -d)"
cp -R /opt/ml/processing/input/code/. .
chmod -R u+rwx .
mkdir -p /opt/ml/processing/output/report
exec "$@"
