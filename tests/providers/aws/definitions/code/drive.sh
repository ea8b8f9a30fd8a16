#!/bin/bash
# What a trainer of the SDK's third generation puts into the channel sm_drivers, in small.
set -eu
trap 'code=$?; [ $code -eq 0 ] || echo "drive.sh ended with $code" > /opt/ml/output/failure' EXIT
echo "started by $0 in $TRAINING_JOB_NAME"
python3 --version
pip --version
chmod +x /opt/ml/input/data/sm_drivers/environment.py
python3 /opt/ml/input/data/sm_drivers/environment.py
set -a
. /opt/ml/input/sm_training.env
set +a
cd /opt/ml/input/data/code
python3 -m pip install -r requirements.txt
python3 "$SM_ENTRY_SCRIPT" --shift "$SM_HP_SHIFT" --mode "$SM_HP_MODE" --layers "$SM_HP_LAYERS"
