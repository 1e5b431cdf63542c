#!/usr/bin/env bash
# Builds the reference of the public headers with Doxygen; any warning fails.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build/docs
if ! command -v doxygen >/dev/null; then
  echo "doxygen is missing: apt-get install doxygen" >&2
  exit 5
fi
doxygen docs/Doxyfile
