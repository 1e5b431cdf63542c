#!/usr/bin/env bash
# Installs the build into a temporary prefix and builds and runs a project outside of the tree.
# Usage: run.sh <source dir> <build dir>
set -euo pipefail
source_dir=$1
build_dir=$2
work="$(mktemp -d)/a prefix"  # a blank: nothing may split paths
mkdir "$work"
trap 'rm -rf "${work%/*}"' EXIT
cmake --install "$build_dir" --prefix "$work/prefix" >/dev/null
cmake -S "$source_dir/tests/install/outside" -B "$work/build" -G Ninja \
  -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/build"
"$work/build/outside"
"$work/prefix/bin/ch" --help >/dev/null
for file in man/man1/ch.1 man/man1/ch-train.1 bash-completion/completions/ch \
            zsh/site-functions/_ch fish/vendor_completions.d/ch.fish; do
  test -s "$work/prefix/share/$file" || { echo "not installed: share/$file" >&2; exit 1; }
done
if [ -n "$(find "$work/prefix" -name '.*')" ]; then echo "a hidden file is installed" >&2; exit 1; fi

# The files that help and examples name are found from any folder.
mkdir "$work/elsewhere"
cd "$work/elsewhere"
ch=$work/prefix/bin/ch
mapfile -t named < <({ "$ch" --help; "$ch" help man; sed -n 's/^ *ch /ch /p' "$source_dir/README.md"; } |
  grep -o 'configs/[A-Za-z0-9_/]*\.toml' | grep -v NAME | sort -u)
[ ${#named[@]} -gt 0 ] || { echo "help names no configuration" >&2; exit 1; }
for file in "${named[@]}"; do
  test -s "$work/prefix/share/mase/$file" || { echo "named but not installed: $file" >&2; exit 1; }
done
"$ch" transform --config configs/examples/jsc_toy_by_type.toml --project-dir "$work/out" 2>&1 |
  grep '| Linear  *| linear  *|  *3 |  *3 |'
"$ch" train configs/models/jsc-10x.toml jsc --max-epochs 1 --batch-size 4096 --project-dir "$work/out" \
  >/dev/null 2>&1
"$ch" sweep --config configs/sweeps/jsc_networks.toml --dry-run --project-dir "$work/out" >/dev/null
if "$ch" transform --config configs/examples/no_such.toml 2>/dev/null; then
  echo "a configuration that does not exist was taken" >&2; exit 1
fi

# The README's lines for CMake, as they are.
mkdir "$work/mine"
{ echo 'cmake_minimum_required(VERSION 3.25)'
  echo 'project(mine LANGUAGES CXX)'
  echo "add_executable(mine \"$source_dir/tests/install/outside/main.cpp\")"
  sed -n '/^```cmake/,/^```$/p' "$source_dir/README.md" | grep -v '^```'
} >"$work/mine/CMakeLists.txt"
cmake -S "$work/mine" -B "$work/mine/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/mine/build"
"$work/mine/build/mine"

# A pass of one's own, built outside: from its own main, and loaded by the program.
cmake -S "$source_dir/examples/own_pass" -B "$work/own_pass" -G Ninja \
  -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/own_pass"
"$work/own_pass/count_flops_main" | grep 'total  *1320'
"$work/prefix/bin/ch" transform --config "$source_dir/examples/own_pass/count_flops.toml" \
  --plugin "$work/own_pass/libcount_flops.so" --project-dir "$work/out" 2>&1 |
  grep 'total  *1320'
