#!/usr/bin/env bash
# Installs what is missing, builds, and runs every check: format, tests, documentation, fuzzers.
# From a fresh clone on a bare Debian 12; idempotent. MASE_FUZZ_SECONDS=0 leaves the fuzzers out.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '== %s\n' "$*"; }

step "packages"
scripts/install.sh scripts/packages.txt scripts/packages-test.txt

step "format"
scripts/format.sh --check

step "build (log: build/release.log)"
scripts/build.sh release

step "documentation of public headers"
scripts/check_docs.sh

step "tests"
ctest --test-dir build/release --output-on-failure --no-tests=error -j 2

if [ "${MASE_FUZZ_SECONDS:-20}" != 0 ]; then
  step "fuzzers, ${MASE_FUZZ_SECONDS:-20} s each"
  scripts/fuzz.sh "${MASE_FUZZ_SECONDS:-20}"
fi
step "all checks passed"
