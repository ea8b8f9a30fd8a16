#!/bin/bash
# A step's command. The values are its arguments, in order.
set -euo pipefail
PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore "$(command -v python || command -v python3)" -m pip install --disable-pip-version-check --no-cache-dir --quiet scikit-learn==1.8.0 pandas==2.3.3
cd "$(mktemp -d)"
cp -R /opt/ml/processing/input/code/. .
chmod -R u+rwx .
mkdir -p /opt/ml/processing/output/report
python evaluate.py --model "${1}" --test "${2}" --report "${3}"
