#!/usr/bin/env bash
# Fuzzes whatever takes foreign bytes, with address and undefined-behaviour sanitizers (clang):
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
  mapfile -t targets < <(cut -d' ' -f1 "$build/fuzz_targets")
fi
seeds=$build/seeds
rm -rf "$seeds"
"$build/bin/make_corpus" "$seeds"
mkdir -p "$seeds"/small/{checkpoint,toml,configuration,model_file}
cp tests/io/fixtures/old_*.pt "$seeds/small/checkpoint"
for target in toml configuration; do
  find configs -name '*.toml' -exec cp -t "$seeds/small/$target" {} +
done
cp configs/models/*.toml "$seeds/small/model_file"

# run_part <target> small|large <seconds> <build> [options]
run_part() {
  local target=$1 size=$2 seconds=$3 build=$4
  local corpus=$build/corpus/$size/$target log=$build/$target.$size.log
  local folders=("$corpus") limits
  mkdir -p "$corpus" "$build/found"
  for folder in "$build/seeds/$size/$target" "fuzz/regressions/$target"; do
    [ -d "$folder" ] && folders+=("$folder")
  done
  read -ra limits < <(sed -n "s/^$target //p" "$build/fuzz_targets")
  local options=(-max_total_time="$seconds" "${limits[@]}" "${@:5}" -timeout=10 -rss_limit_mb=2048
                 -artifact_prefix="$build/found/$target-" -print_final_stats=1)
  [ -f "fuzz/$target.dict" ] && options+=(-dict="fuzz/$target.dict")
  if ! "$build/bin/fuzz_$target" "${options[@]}" "${folders[@]}" >"$log" 2>&1; then
    tail -n 40 "$log"
    echo "FAILED: $target (log $log)"
    return 1
  fi
  local tried; tried=$(sed -n "s/^stat::number_of_executed_units: *//p" "$log")
  echo "$target: $tried $size inputs in $seconds s"
}

# Large inputs take long and would leave no time for the others: they get a quarter of it, apart.
run_one() {
  local target=$1 seconds=$2 build=$3 large=0
  [ -d "$build/seeds/large/$target" ] && large=$(((seconds + 3) / 4))
  run_part "$target" small $((seconds - large)) "$build" || return 1
  [ "$large" -eq 0 ] || run_part "$target" large "$large" "$build" -max_len=65536 -len_control=0
}
export -f run_part run_one
printf '%s\n' "${targets[@]}" |
  xargs -P "$(nproc)" -I{} bash -c 'run_one "$@"' _ {} "$seconds" "$build"
