#!/usr/bin/env bash
# usage: fuzz.sh [NAME…] : builds the fuzz targets of tests/fuzz/ (all, or those) and runs each for FUZZ_SECONDS (60).
# With clang 19 or newer (CLANGXX names another one) they run under libFuzzer, whose corpus stays in build/fuzz/corpus; else under
# our own driver, built by the asan preset. FUZZ_SEED (1) makes a run another one. What is found lies in build/fuzz/found/NAME.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

seconds=${FUZZ_SECONDS:-60} seed=${FUZZ_SEED:-1} clang=${CLANGXX:-}
for candidate in clang++-21 clang++-20 clang++-19; do
  [ -n "$clang" ] || clang=$(command -v "$candidate" || true)
done
names=("$@") targets=("${@/#/fuzz_}")
[ $# -gt 0 ] || targets=(fuzz_targets)
root=$PWD build=$PWD/build/asan
# Without detect_stack_use_after_return: GCC 12 then misaligns 64-byte vectors on the stack (GCC bug 110027).
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=0:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

if [ -n "$clang" ]; then
  build=$root/build/fuzz
  cmake -S . -B "$build" -G Ninja -DCMAKE_CXX_COMPILER="$clang" -DCMAKE_BUILD_TYPE=RelWithDebInfo \
    -DSCALESTYLE_FUZZ=ON -DSCALESTYLE_BENCH=OFF \
    -DCMAKE_CXX_FLAGS="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all" \
    -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" >/dev/null
  cmake --build "$build" --parallel "${JOBS:-$(nproc)}" --target "${targets[@]}"
else
  scripts/build.sh asan "${targets[@]}"
fi

if [ $# -eq 0 ]; then
  mapfile -t names < <(find "$build" -name 'fuzz_*' -type f -perm -u+x -printf '%f\n' | sed 's/^fuzz_//' | sort)
fi
failed=()
for name in "${names[@]}"; do
  program=$(find "$build" -name "fuzz_$name" -type f -perm -u+x | head -n 1)
  found=$root/build/fuzz/found/$name
  mkdir -p "$found"
  printf '== %s, %s s\n' "$name" "$seconds"
  if [ -n "$clang" ]; then
    corpus=$root/build/fuzz/corpus/$name
    mkdir -p "$corpus"
    FUZZ_SEEDS=$corpus.seeds "$program" -max_total_time="$seconds" -seed="$seed" -max_len=16384 -timeout=20 \
      -rss_limit_mb=2048 -print_final_stats=1 \
      -dict="$corpus.seeds.dict" -artifact_prefix="$found/" "$corpus" "$corpus.seeds" 2>"$found/log" || failed+=("$name")
    grep -E '^stat::(number_of_executed_units|average_exec)|^SUMMARY|ERROR|DONE' "$found/log" || true
  else
    (cd "$found" && "$program" --seconds "$seconds" --seed "$seed") || failed+=("$name")
  fi
done
[ ${#failed[@]} -eq 0 ] || {
  echo "fuzz: found something in ${failed[*]}: build/fuzz/found" >&2
  exit 1
}
