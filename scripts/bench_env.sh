#!/usr/bin/env bash
# Makes the Python environment of the benchmarks' peers, once for each list of requirements:
#   scripts/bench_env.sh [folder, default build/bench/venv]
# Each line of bench/requirements.txt is installed for itself: a package that cannot be had costs
# its own rows of the table, no others. A plan that would bring GPU libraries is refused. Options
# for pip go into MASE_PIP_OPTIONS.
set -euo pipefail
cd "$(dirname "$0")/.."
requirements=$PWD/bench/requirements.txt
folder=${1:-build/bench/venv}
mark=$folder/.made_from

if cmp -s "$requirements" "$mark"; then exit 0; fi
rm -rf "$folder"
mkdir -p "$(dirname "$folder")"
python3 -m venv "$folder"
read -ra options <<<"${MASE_PIP_OPTIONS:-}"
pip() { "$folder/bin/python" -m pip --disable-pip-version-check --quiet "$@" 2>"$folder/pip.log"; }
say() { printf 'bench_env: %s\n' "$*" >&2; }

mapfile -t wanted < <(sed 's/#.*//' "$requirements" | tr -d ' ' | sed '/^$/d')
plan=$folder/plan.json
for package in "${wanted[@]}"; do
  if ! pip install --dry-run --report "$plan" "${options[@]}" -c "$requirements" "$package"; then
    say "$package is not to be had: $(tail -n 1 "$folder/pip.log")"
  elif grep -qE '"name": "(nvidia-.*|cuda-.*|triton)"' "$plan"; then
    say "$package is left out: pip would fetch GPU libraries with it"
  elif ! pip install "${options[@]}" -c "$requirements" "$package"; then
    say "$package does not install: $(tail -n 1 "$folder/pip.log")"
  fi
done
cp "$requirements" "$mark"
