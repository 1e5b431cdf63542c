#!/usr/bin/env bash
# Fuzzes every reader with address and undefined-behaviour sanitizers (clang):
#   scripts/fuzz.sh [seconds for each target, default 20] [targets, default all]
# Seeds come from fuzz/make_corpus.cpp, configs/ and fuzz/regressions/; what is found stays in
# build/fuzz/corpus for the next run. A failing input is kept in build/fuzz/found and named.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-20}
shift || true
build=build/fuzz
mkdir -p build
if ! { cmake --preset fuzz && cmake --build "$build" --target fuzzers; } >build/fuzz.log 2>&1; then
  tail -n 40 build/fuzz.log >&2
  echo "The build failed; the whole log is in build/fuzz.log" >&2
  exit 1
fi

targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  mapfile -t targets < <(sed -n 's/^mase_fuzz(\(.*\))$/\1/p' fuzz/CMakeLists.txt)
fi
seeds=$build/seeds
rm -rf "$seeds"
"$build/bin/make_corpus" "$seeds"
mkdir -p "$seeds"/{checkpoint,toml,model_file}
cp tests/io/fixtures/old_*.pt "$seeds/checkpoint"
find configs -name '*.toml' -exec cp -t "$seeds/toml" {} +
cp configs/models/*.toml "$seeds/model_file"

run_one() {
  local target=$1 seconds=$2 build=$3
  local corpus=$build/corpus/$target log=$build/$target.log
  local folders=("$corpus")
  mkdir -p "$corpus" "$build/found"
  for folder in "$build/seeds/$target" "fuzz/regressions/$target"; do
    [ -d "$folder" ] && folders+=("$folder")
  done
  local options=(-max_total_time="$seconds" -max_len=16384 -timeout=10 -malloc_limit_mb=256
                 -rss_limit_mb=2048 -artifact_prefix="$build/found/$target-" -print_final_stats=1)
  [ -f "fuzz/$target.dict" ] && options+=(-dict="fuzz/$target.dict")
  if ! "$build/bin/fuzz_$target" "${options[@]}" "${folders[@]}" >"$log" 2>&1; then
    tail -n 40 "$log"
    echo "FAILED: $target (log $log)"
    return 1
  fi
  echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs in $seconds s"
}
export -f run_one
printf '%s\n' "${targets[@]}" |
  xargs -P "$(nproc)" -I{} bash -c 'run_one "$@"' _ {} "$seconds" "$build"
