#!/usr/bin/env bash
# Makes the Python environment of the interop tests, once for each list of requirements:
#   scripts/python_env.sh [folder, default build/.venv]
# It stands on Debian's python3-torch: PyTorch from elsewhere would bring gigabytes of GPU
# libraries, so a plan that wants to fetch it is refused. Exit code 77 (skip) with the reason when
# the environment cannot be made. Options for pip go into MASE_PIP_OPTIONS.
set -euo pipefail
cd "$(dirname "$0")/.."
requirements=$PWD/tests/interop/requirements.txt
folder=${1:-build/.venv}
mark=$folder/.made_from
python=/usr/bin/python3

skip() { printf 'no environment for the interop tests: %s\n' "$*" >&2; exit 77; }

mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"   # tests that run side by side wait for the one that makes it
flock 9
if cmp -s "$requirements" "$mark"; then exit 0; fi

"$python" -c 'import torch' 2>/dev/null || skip "Debian's python3-torch is not installed"
rm -rf "$folder"
"$python" -m venv --system-site-packages "$folder" >/dev/null 2>&1 ||
  skip "python3 -m venv failed (Debian: python3-venv)"
# Registries stumble: three attempts, with a pause between them.
pip() {
  for pause in 5 20 0; do
    "$folder/bin/python" -m pip --disable-pip-version-check --quiet "$@" 2>"$folder/pip.log" && return
    sleep "$pause"
  done
  return 1
}
read -ra options <<<"${MASE_PIP_OPTIONS:-}"

plan=$folder/plan.json
pip install --dry-run --report "$plan" "${options[@]}" -r "$requirements" ||
  skip "the packages of tests/interop/requirements.txt are not to be had: $(tail -n 1 "$folder/pip.log")"
if grep -qE '"name": "(torch|nvidia-.*)"' "$plan"; then skip "pip would fetch PyTorch itself"; fi
pip install "${options[@]}" -r "$requirements" || skip "$(tail -n 1 "$folder/pip.log")"
cp "$requirements" "$mark"
