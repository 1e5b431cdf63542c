#!/usr/bin/env bash
# Installs what is missing, builds, and runs every check: format, tests, documentation, fuzzers,
# whole runs under sanitizers.
# From a fresh clone on a bare Debian 12; idempotent. Where CI=true, a test that is skipped is a failure
# unless tests/allowed_skips.txt says why it may be. MASE_FUZZ_SECONDS=0 leaves the fuzzers out.
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
results=$PWD/build/release/tests.xml
ctest --test-dir build/release --output-on-failure --no-tests=error -j 2 --output-junit "$results"
if ! scripts/check_skips.py "$results" tests/allowed_skips.txt && [ "${CI:-}" = true ]; then exit 1; fi

if [ "${MASE_FUZZ_SECONDS:-20}" != 0 ]; then
  step "fuzzers, ${MASE_FUZZ_SECONDS:-20} s each"
  scripts/fuzz.sh "${MASE_FUZZ_SECONDS:-20}"
fi
if [ "${MASE_FUZZ_SECONDS:-20}" != 0 ]; then
  step "whole runs under the sanitizers"
  scripts/sanitize.sh
fi
step "all checks passed"
