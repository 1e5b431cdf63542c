#!/usr/bin/env bash
# Builds and runs the benchmarks and prints a table for each part:
#   scripts/bench.sh [--clang] [--smoke] [engine|deterministic|loop|data|peers ...]     default: all parts
# --clang builds with clang (build/bench-clang; without the Torch engine, which LibTorch 1.13's
# headers keep from compiling there). --smoke runs everything for a moment. docs/benchmarks.md says
# what is measured and how.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/bench
configure=(-DMASE_BENCH=ON -DMASE_TESTS=OFF)
options=()
parts=()
for argument in "$@"; do
  case $argument in
    --clang)
      build=build/bench-clang
      configure+=(-DCMAKE_CXX_COMPILER=clang++-14 -DCMAKE_C_COMPILER=clang-14 -DMASE_TORCH=OFF) ;;
    --smoke) options+=(--smoke) ;;
    engine | deterministic | loop | data | peers) parts+=("$argument") ;;
    *) echo "usage: $0 [--clang] [--smoke] [engine|deterministic|loop|data|peers ...]" >&2; exit 2 ;;
  esac
done
[ ${#parts[@]} -gt 0 ] || parts=(engine deterministic loop data peers)

declare -A programs=([engine]=engine_bench [deterministic]=deterministic_bench [loop]=loop_bench
  [data]=data_bench [peers]=bench_native_steps)
targets=()
for part in "${parts[@]}"; do targets+=("${programs[$part]}"); done
log=$build.log
mkdir -p build
if ! { cmake --preset release -B "$build" "${configure[@]}" &&
       cmake --build "$build" --target "${targets[@]}"; } >"$log" 2>&1; then
  tail -n 40 "$log" >&2
  echo "The build failed; the whole log is in $log" >&2
  exit 1
fi

# One thread everywhere, also in libraries that read this when they are loaded.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

for part in "${parts[@]}"; do
  printf '\n## %s\n\n' "$part"
  if [ "$part" != peers ]; then
    "$build/bin/${programs[$part]}" "${options[@]}"
  else
    scripts/bench_env.sh build/bench/venv
    build/bench/venv/bin/python bench/peers/run.py "$build/bin/bench_native_steps" "${options[@]}"
  fi
done
