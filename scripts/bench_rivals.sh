#!/usr/bin/env bash
# usage: bench_rivals.sh [RUNNER…] [options of bench/rivals/run.py] : sets up the rivals and measures ours beside them. What has been
# measured is not measured again (--again does); an interrupted run goes on. Then writes docs/rivals.md. A quiet machine, please.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

bench/rivals/setup.sh
status=0
python3 -B bench/rivals/run.py "$@" || status=$?
case " $* " in *' --smoke '* | *' --work '*) exit "$status" ;; esac # figures that are worth nothing, or lie elsewhere
python3 -B bench/rivals/tables.py
exit "$status"
