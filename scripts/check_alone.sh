#!/usr/bin/env bash
# Checks that every source of the library and the program compiles alone, with what it includes
# itself: builds compile several at a time and would hide a missing include. Nothing is built.
#   scripts/check_alone.sh [text...]     only sources whose path contains one of the texts
set -euo pipefail
cd "$(dirname "$0")/.."
build=build/alone
mkdir -p build
cmake --preset release -B "$build" -DMASE_UNITY=OFF -DMASE_TESTS=OFF >"$build.log" 2>&1 ||
  { cat "$build.log" >&2; exit 1; }

python3 - "$build/compile_commands.json" "$@" <<'PYTHON' |
import json, sys
for entry in json.load(open(sys.argv[1])):
    file = entry["file"]
    if "/kernels_" in file or "cmake_pch" in file or "cmake_pch" in entry["command"]:
        continue  # the Torch folder has a precompiled header of its own
    if not sys.argv[2:] or any(text in file for text in sys.argv[2:]):
        sys.stdout.write(entry["command"].split(" -o ")[0] + " -fsyntax-only " +
                         entry["command"].split(" -c ")[1] + "\0")
PYTHON
  (cd "$build" && xargs -0 -n 1 -P "$(nproc)" bash -c)
