#!/usr/bin/env bash
# Builds the reference of the public headers with Doxygen; any warning fails. The pages are in
# build/docs/html.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
mkdir -p build/docs
if ! command -v doxygen >/dev/null; then
  echo "doxygen is missing: apt-get install doxygen" >&2
  exit 5
fi
# Doxygen cuts paths at blanks where pages refer to each other: such a tree is read in a copy.
if [[ $root == *[[:space:]]* ]]; then
  copy=$(mktemp -d)
  trap 'rm -rf "$copy"' EXIT
  cp -r mase docs ./*.md "$copy"
  cd "$copy"
  mkdir -p build/docs
fi
doxygen docs/Doxyfile
[ "$PWD" = "$root" ] || cp -r build/docs "$root/build"
