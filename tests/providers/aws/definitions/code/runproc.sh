#!/bin/bash
cd /opt/ml/processing/input/code/
tar -xzf sourcedir.tar.gz
set -e
if [[ -f requirements.txt ]]; then
    pip uninstall --yes typing
    python -m pip install -r requirements.txt
fi
python evaluate.py "$@"
