#!/usr/bin/env bash
# Runs one Python test: run.sh <venv> <bin folder> <test.py>. Exit code 77 = skipped, with the reason.
# The environment is scripts/python_env.sh's; where it cannot be made, Debian's python3-torch runs
# the tests that need no more. MASE_INTEROP_PYTHON names an interpreter of your own.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${MASE_INTEROP_PYTHON:-}
if [ -z "$python" ]; then
  python=$1/bin/python
  "$here/../../scripts/python_env.sh" "$1" || python=/usr/bin/python3
fi
MASE_BIN=$2 PYTHONDONTWRITEBYTECODE=1 exec "$python" -W ignore "$here/$3"
