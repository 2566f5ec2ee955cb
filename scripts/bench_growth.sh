#!/usr/bin/env bash
# usage: bench_growth.sh [RUNNER…] [options of bench/growth/run.py] : measures what each part costs as it grows, and fits the laws. What
# has been measured is not measured again (--again does); an interrupted run goes on. Then writes docs/growth.md. A quiet machine, please.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

status=0
python3 -B bench/growth/run.py "$@" || status=$?
case " $* " in *' --smoke '* | *' --work '*) exit "$status" ;; esac # figures that are worth nothing, or lie elsewhere
python3 -B bench/growth/tables.py
exit "$status"
