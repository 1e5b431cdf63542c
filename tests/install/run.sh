#!/usr/bin/env bash
# Installs the build into a temporary prefix and builds and runs a project outside of the tree.
# Usage: run.sh <source dir> <build dir>
set -euo pipefail
source_dir=$1
build_dir=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
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

# A pass of one's own, built outside: from its own main, and loaded by the program.
cmake -S "$source_dir/examples/own_pass" -B "$work/own_pass" -G Ninja \
  -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build "$work/own_pass"
"$work/own_pass/count_flops_main" | grep 'total  *1320'
"$work/prefix/bin/ch" transform --config "$source_dir/examples/own_pass/count_flops.toml" \
  --plugin "$work/own_pass/libcount_flops.so" --project-dir "$work/out" 2>&1 |
  grep 'total  *1320'
