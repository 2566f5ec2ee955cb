#!/usr/bin/env bash
# usage: build.sh PRESET TARGET… : configures build/PRESET when that has not been done, and builds the targets.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Where a compiler cache is installed, its entries serve every checkout.
export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$PWD} CCACHE_NOHASHDIR=${CCACHE_NOHASHDIR:-1}

preset=$1
shift
if [ ! -f "build/$preset/build.ninja" ]; then
  mkdir -p "build/$preset"
  log=build/$preset/configure.log
  echo "Configuring build/$preset …"
  cmake --preset "$preset" >"$log" 2>&1 || {
    cat "$log" >&2
    exit 1
  }
fi
exec cmake --build "build/$preset" --parallel "${JOBS:-$(nproc)}" --target "$@"
