#!/usr/bin/env bash
# Puts DuckDB's C library and header into build/third_party/duckdb/{include,lib}.
#
# The library comes from the npm package that third_party/package-lock.json pins; the header from the
# source package of the same version. Both are checked by SHA-256 before they are installed, each by a
# rename, so that an interrupted run leaves nothing half written. Quick when both are there already.
# With DUCKDB_ROOT set, that folder (include/duckdb.h, lib/libduckdb.so) is used and nothing is fetched.
set -euo pipefail
export LC_ALL=C

readonly version=1.4.4
readonly header_sha256=cbe6a827284375c5a646b8f27dbd3a00808ce8738b5bbb49c190cb1e08540281

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
third_party_dir=${THIRD_PARTY_DIR:-$source_dir/build/third_party}
target_dir=$third_party_dir/duckdb

fail() {
  printf 'duckdb.sh: %s\n' "$*" >&2
  exit 1
}

if [ -n "${DUCKDB_ROOT:-}" ]; then
  for file in include/duckdb.h lib/libduckdb.so; do
    [ -r "$DUCKDB_ROOT/$file" ] || fail "DUCKDB_ROOT=$DUCKDB_ROOT has no $file"
  done
  exit 0
fi

[ "$(uname -s)" = Linux ] || fail "no DuckDB package is pinned for $(uname -s); set DUCKDB_ROOT"
case $(uname -m) in
  x86_64)
    architecture=x64
    library_sha256=1ef33048e12235115ac0d277a0aaccbb560e33248144f488b5ac005cd9ba81b5
    ;;
  aarch64)
    architecture=arm64
    library_sha256=c8e20af1e0064bdb7bf79af4d16f17ee8be16803bc98a4df58588bed1301c042
    ;;
  *) fail "no DuckDB package is pinned for $(uname -m); set DUCKDB_ROOT" ;;
esac

readonly stamp="$version $architecture $library_sha256 $header_sha256"
is_installed() {
  [ -f "$target_dir/lib/libduckdb.so" ] && [ -f "$target_dir/include/duckdb.h" ] \
    && [ "$(cat "$target_dir/stamp" 2>/dev/null)" = "$stamp" ]
}
if is_installed; then exit 0; fi

command -v npm >/dev/null || fail "npm is not installed; run 'make setup'"
mkdir -p "$third_party_dir"
exec 9>"$third_party_dir/duckdb.lock"
flock 9
if is_installed; then exit 0; fi # another run did it while this one waited

work_dir=$(mktemp -d "$third_party_dir/fetch.XXXXXX")
trap 'rm -rf "$work_dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

quiet_npm() {
  npm "$@" --ignore-scripts --no-audit --no-fund --loglevel=error
}

check_sha256() { # file, expected
  local actual
  actual=$(sha256sum "$1" | cut -d' ' -f1)
  [ "$actual" = "$2" ] || fail "$(basename "$1") of DuckDB $version has SHA-256 $actual, expected $2: not installed"
}

echo "Fetching DuckDB $version ($architecture) …"
cp "$source_dir/third_party/package.json" "$source_dir/third_party/package-lock.json" "$work_dir/"
(cd "$work_dir" && quiet_npm ci >/dev/null) || fail "npm could not fetch DuckDB's library (third_party/package-lock.json); set DUCKDB_ROOT to use your own"
library=$work_dir/node_modules/@duckdb/node-bindings-linux-$architecture/libduckdb.so
[ -f "$library" ] || fail "npm did not install @duckdb/node-bindings-linux-$architecture"
check_sha256 "$library" "$library_sha256"

# npm prints the name of the archive; the package itself is not installed, since it drags a compiler tool chain along.
archive=$(cd "$work_dir" && quiet_npm pack "duckdb@$version" | tail -n 1) || fail "npm could not fetch DuckDB's header"
tar -xzf "$work_dir/$archive" -C "$work_dir" --strip-components=5 package/src/duckdb/src/include/duckdb.h
check_sha256 "$work_dir/duckdb.h" "$header_sha256"

mkdir -p "$target_dir/include" "$target_dir/lib"
rm -f "$target_dir/stamp"
chmod 755 "$library"
mv -f "$library" "$target_dir/lib/libduckdb.so"
mv -f "$work_dir/duckdb.h" "$target_dir/include/duckdb.h"
printf '%s\n' "$stamp" >"$target_dir/stamp"
echo "DuckDB $version is in ${target_dir#"$source_dir"/}"
