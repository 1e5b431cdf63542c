#!/usr/bin/env bash
# Whole runs of `ch` under the address and undefined-behaviour sanitizers: every action, on the
# instruction sets of this machine. The program is built in the tree of the fuzzers (clang, without
# LibTorch), whose library it shares.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD build=$PWD/build/fuzz
mkdir -p build
if ! { cmake --preset fuzz && cmake --build "$build" --target ch; } >build/sanitize.log 2>&1; then
  tail -n 40 build/sanitize.log >&2
  echo "The build failed; the whole log is in build/sanitize.log" >&2
  exit 1
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
export MASE_CACHE_DIR=$folder/cache NO_COLOR=1
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

# run <exit code> <arguments of ch>
run() {
  local wanted=$1 code=0
  shift
  "$build/bin/ch" "$@" >out.txt 2>err.txt || code=$?
  if [ "$code" != "$wanted" ] || grep -qE 'runtime error:|ERROR: AddressSanitizer' out.txt err.txt; then
    tail -n 60 err.txt
    echo "FAILED ($code, not $wanted): ch $*"
    exit 1
  fi
}

# Images of noise, for the convolutions.
mkdir -p d/mnist
python3 - <<'PYTHON'
import gzip, random, struct
for part, rows in (("train", 96), ("t10k", 40)):
    pixels = random.Random(0).randbytes(rows * 28 * 28)
    with gzip.open(f"d/mnist/{part}-images-idx3-ubyte.gz", "wb") as file:
        file.write(struct.pack(">4I", 2051, rows, 28, 28) + pixels)
    with gzip.open(f"d/mnist/{part}-labels-idx1-ubyte.gz", "wb") as file:
        file.write(struct.pack(">2I", 2049, rows) + bytes(i % 10 for i in range(rows)))
PYTHON

quantise=$root/configs/examples/jsc_toy_by_type.toml
ckpt=mase_output/p/software/training_ckpts
# The kernels of each instruction set: all there are on this machine.
for isa in portable avx2 avx512; do
  case $isa in
    avx2) grep -qw avx2 /proc/cpuinfo || continue ;;
    avx512) grep -qw avx512f /proc/cpuinfo || continue ;;
  esac
  export MASE_NATIVE_ISA=$isa
  rm -rf mase_output
  run 0 train jsc-toy jsc --max-epochs 2 --batch-size 1000 --learning-rate 1e-2 --project p
  run 0 test jsc-toy jsc --load $ckpt/best.ckpt --project p
  run 0 predict jsc-toy jsc --load $ckpt/best.ckpt --project p --output p.csv
  run 0 transform jsc-toy jsc --load $ckpt/best.ckpt --project p --config "$quantise"
  run 0 train lenet5 mnist --data-dir d --max-epochs 1 --batch-size 32 --project images
  run 0 test lenet5 mnist --data-dir d --load mase_output/images/software/training_ckpts/best.ckpt
done
unset MASE_NATIVE_ISA
run 0 train jsc-toy jsc --max-epochs 3 --batch-size 1000 --learning-rate 1e-2 --project p --resume last
run 0 transform jsc-toy jsc --project p --load $ckpt/best.ckpt --config "$root/configs/examples/jsc_toy_reports.toml"
run 0 sweep toy_tiny toy_tiny --max-epochs 1 --seed 0,1 --project s
for topic in models datasets passes formats ops; do run 0 info $topic; done
run 0 data jsc
run 0 help train
run 2 train no-such-model jsc
echo "no finding"
