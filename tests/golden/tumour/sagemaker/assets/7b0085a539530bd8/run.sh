#!/bin/bash
# A step's command. The values are its arguments, in order.
set -euo pipefail
PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore "$(command -v python || command -v python3)" -m pip install --disable-pip-version-check --no-cache-dir --quiet scikit-learn==1.8.0 pandas==2.3.3
cd "$(mktemp -d)"
cp -R /opt/ml/input/data/code/. .
chmod -R u+rwx .
mkdir -p /opt/ml/model
python train.py --data "${1}" --depth "${2}" --model "${3}"
