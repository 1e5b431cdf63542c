#!/usr/bin/env bash
# Runs a benchmark for a moment, for the tests:
#   smoke.sh ROWS COLUMN PROGRAM [argument ...]
# It must succeed and print a table of at least ROWS rows, each with a figure in the column of that
# title. What it printed is shown.
set -euo pipefail
rows=$1 column=$2
shift 2
"$@" | tee /dev/stderr | awk -F ' *[|] *' -v wanted="$rows" -v column="$column" '
  $0 !~ /^[|]/ { next }
  !at { for (i = 2; i < NF; ++i) if ($i == column) at = i
        if (!at) { print "smoke: there is no column " column; failed = 1; exit }
        next }
  /^[|]-/ { next }
  $at ~ /^[0-9]+([.][0-9]+)?( [kM])?$/ { ++rows; next }
  { print "smoke: no figure under " column ": " $0; failed = 1 }
  END { if (rows < wanted) { print "smoke: " rows + 0 " rows with figures, not " wanted; failed = 1 }
        exit failed }'
