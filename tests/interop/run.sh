#!/usr/bin/env bash
# Runs one Python test: run.sh <venv> <bin folder> <test.py>. Exit code 77 = skipped, with the reason.
# The environment is scripts/python_env.sh's; where it cannot be made, Debian's Python alone runs the
# tests that need no more. MASE_TORCH2_PYTHON names an interpreter with PyTorch 2 (and Lightning,
# TensorBoard, safetensors): it then runs every test once more.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$1/bin/python
"$here/../../scripts/python_env.sh" "$1" || python=/usr/bin/python3
export MASE_BIN=$2 PYTHONDONTWRITEBYTECODE=1
if [ -n "${MASE_TORCH2_PYTHON:-}" ]; then "$MASE_TORCH2_PYTHON" -W ignore "$here/$3"; fi
exec "$python" -W ignore "$here/$3"
