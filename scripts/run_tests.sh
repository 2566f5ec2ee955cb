#!/usr/bin/env bash
# usage: run_tests.sh BUILD_FOLDER [ctest options] : runs the tests and ends with the counts of passed, failed and skipped.
# No test at all is a failure; with CI=true, so is a skipped or disabled one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=$PWD/$1
shift
report=$build/tests.xml
rm -f "$report"
status=0
ctest --test-dir "$build" --parallel "${JOBS:-$(nproc)}" --output-on-failure --no-tests=error --output-junit "$report" "$@" \
  || status=$?
python3 -B scripts/test_summary.py "$report" || status=1
exit "$status"
