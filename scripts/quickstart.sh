#!/usr/bin/env bash
# From a fresh clone to a quantised jet network: installs what is missing, builds, then trains,
# tests, quantises and reports jsc-toy on the data that the repository carries. Idempotent.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
run() {
  printf '\n$ %s\n' "$*"
  "$@"
}
[ -t 1 ] || say() { printf '\n== %s\n' "$*"; }

say "1/5 packages and build"
scripts/install.sh
echo "Building; the first time takes minutes (log: build/release.log)"
scripts/build.sh release program

project=quickstart
folder=mase_output/$project/software
say "2/5 train jsc-toy (327 parameters) for 3 epochs"
PATH=$root/build/release/bin:$PATH
run ch train jsc-toy jsc --max-epochs 3 --batch-size 256 --learning-rate 1e-2 --project $project

say "3/5 test it on the held-out fifth"
run ch test jsc-toy jsc --load $folder/training_ckpts/best.ckpt --project $project

say "4/5 quantise its linear layers to 8 bits, 4 of them fractional, and report"
run ch transform --config configs/examples/jsc_toy_by_type.toml \
  --load $folder/training_ckpts/best.ckpt --project $project

say "5/5 test the quantised network"
run ch test jsc-toy jsc --load $folder/transform/transformed_ckpt/graph_module.mz --project $project

cat <<TEXT

Done. What is where:
  $folder/training_ckpts     best.ckpt and last.ckpt (PyTorch Lightning files)
  $folder/tensorboard        for TensorBoard
  $folder/transform          the quantised network, its tables and reports
Next:
  export PATH=$(printf %q "$root/build/release/bin"):\$PATH
  ch --help                          all actions and options
  ch info models                     networks, with exact parameter counts
  ch train jsc-10x jsc --max-epochs 10 --batch-size 256
  ch help pass quantize              what a configuration file may say
TEXT
