#!/usr/bin/env bash
# Formats the sources; with --check only says which files differ and fails if any does.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(find mase ch tests bench fuzz examples -name '*.cpp' -o -name '*.h')
if [ "${1:-}" = --check ]; then
  clang-format-14 --dry-run -Werror "${files[@]}"
else
  clang-format-14 -i "${files[@]}"
fi
