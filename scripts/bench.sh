#!/usr/bin/env bash
# usage: bench.sh [PROGRAM…] : the named benchmark programs of the release build, or all of them, one after the other as they are; each
# prints its machine and checks its answers. One that fails does not keep the others from running; the exit code is 1 then.
# The figures to reach are measured and judged by bench_suite.sh (make bench).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

shopt -s nullglob
programs=("$@")
if [ "${#programs[@]}" = 0 ]; then
  for path in build/release/*_bench; do programs+=("$(basename "$path")"); done
fi
[ "${#programs[@]}" -gt 0 ] || {
  echo "bench: the build has no benchmark" >&2
  exit 1
}
failed=()
for program in "${programs[@]}"; do
  echo "== $program"
  "build/release/$program" || failed+=("$program")
done
[ "${#failed[@]}" = 0 ] || {
  echo "bench: failed, or lacks its data: ${failed[*]}" >&2
  exit 1
}
