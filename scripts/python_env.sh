#!/usr/bin/env bash
# Makes the Python environment of the interop tests, once for each list of requirements:
#   scripts/python_env.sh [folder, default build/.venv]
# Exit code 77 (skip) with the reason when it cannot be made: no network, no wheels, or only a
# PyTorch that brings gigabytes of GPU libraries (MASE_ANY_TORCH=1 takes that one too). Options for
# pip, such as where to find a CPU-only PyTorch, go into MASE_PIP_OPTIONS.
set -euo pipefail
cd "$(dirname "$0")/.."
requirements=$PWD/tests/interop/requirements.txt
folder=${1:-build/.venv}
mark=$folder/.made_from

skip() { printf 'interop tests skipped: %s\n' "$*" >&2; exit 77; }

mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"   # tests that run side by side wait for the one that makes it
flock 9
if cmp -s "$requirements" "$mark"; then exit 0; fi

python3 -m venv --help >/dev/null 2>&1 || skip "python3 with venv is not installed"
rm -rf "$folder"
python3 -m venv "$folder" >/dev/null 2>&1 || skip "python3 -m venv failed (Debian: python3-venv)"
pip() { "$folder/bin/python" -m pip --disable-pip-version-check --quiet "$@" 2>"$folder/pip.log"; }
read -ra options <<<"${MASE_PIP_OPTIONS:-}"

plan=$folder/plan.json
pip install --dry-run --report "$plan" "${options[@]}" -r "$requirements" ||
  skip "the packages of tests/interop/requirements.txt are not to be had: $(tail -n 1 "$folder/pip.log")"
if [ -z "${MASE_ANY_TORCH:-}" ] && grep -q '"name": "nvidia-' "$plan"; then
  skip "PyTorch would bring several GB of GPU libraries; set MASE_PIP_OPTIONS to where a CPU-only one" \
    "is, or MASE_ANY_TORCH=1"
fi
pip install "${options[@]}" -r "$requirements" || skip "$(tail -n 1 "$folder/pip.log")"
cp "$requirements" "$mark"
