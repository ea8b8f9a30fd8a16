#!/bin/bash
set -eu
exec python repack.py "$@"
