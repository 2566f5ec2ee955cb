#!/usr/bin/env bash
# usage: bench_suite.sh [MEASUREMENT…] [options of bench/suite/run.py] : what `make bench` does. Sets up the rivals' small set of packages,
# measures, judges every figure to reach and, after a whole run on a catalogue (--data FOLDER), writes the tables of docs/performance.md.
# Exits with 1 where a figure is missed. Without the packages the rows beside rivals say so.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bench/rivals/setup.sh --brief || echo "bench: going on without rivals" >&2
status=0
python3 -B bench/suite/run.py "$@" || status=$?
[ "$status" -le 1 ] || exit "$status" # wrong usage
whole=
for word in "$@"; do
  case $word in
    --data | --data=*) whole=${whole:-yes} ;;
    --short | --work | --work=*) whole=no ;; # figures that are worth nothing, or lie elsewhere
  esac
done
if [ "$whole" = yes ]; then
  python3 -B bench/suite/tables.py || echo "bench: docs/performance.md is as it was" >&2
fi
exit "$status"
