#!/usr/bin/env bash
# usage: sanitize.sh asan|tsan [all] : builds and runs the tests of the parts where that sanitizer finds most: under
# AddressSanitizer those that read hostile bytes and the fuzz targets, under ThreadSanitizer the concurrent ones. With "all", every part.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "${1:-} ${2:-}" in
  "asan ") folders=(core text nn image catalog retrieval ranking events adapters/graph adapters/redis adapters/remote_inference http) extra=(search_text) ;;
  "tsan ") folders=(core telemetry adapters/embedded adapters/redis adapters/remote_inference consumer recommend search http) extra=() ;;
  "asan all" | "tsan all")
    folders=(core telemetry text nn image catalog retrieval ranking events adapters/embedded adapters/redis adapters/remote_inference ingest consumer recommend search http)
    extra=()
    ;;
  *)
    echo "usage: $0 asan|tsan [all]" >&2
    exit 2
    ;;
esac

# Under ThreadSanitizer its graphs take half an hour to build.
if [ "$1 ${2:-}" = "asan all" ]; then folders+=(adapters/graph); fi

targets=("${extra[@]/%/_tests}") names=("${extra[@]}")
for folder in "${folders[@]}"; do
  if [ ! -f "tests/$folder/CMakeLists.txt" ]; then continue; fi
  while read -r name; do
    targets+=("${name}_tests")
    names+=("$name")
  done < <(sed -nE 's/^ *scalestyle_(server_)?test\( *([a-z0-9_]+).*/\2/p' "tests/$folder/CMakeLists.txt")
done
# Each fuzz target runs for a moment (tests/fuzz/README.md).
if [ "$1" = asan ]; then
  targets+=(fuzz_targets)
  names+=(fuzz)
fi
[ "${#names[@]}" -gt 0 ] || {
  echo "sanitize: found no test in tests/{$(IFS=,; echo "${folders[*]}")}" >&2
  exit 1
}

# Real weights make minutes of arithmetic here and show nothing that the small models of other tests do not.
readonly real_models='RealWeights|LocalBge|LocalTextEncoderTest|EveryVectorIsNear'

scripts/build.sh "$1" "${targets[@]}"
# Without detect_stack_use_after_return: GCC 12 then misaligns 64-byte vectors on the stack (GCC bug 110027).
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=0:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-second_deadlock_stack=1:suppressions=$PWD/tests/tsan_suppressions.txt}
exec scripts/run_tests.sh "build/$1" --label-exclude slow --tests-regex "^($(IFS='|'; echo "${names[*]}"))\." --exclude-regex "$real_models"
