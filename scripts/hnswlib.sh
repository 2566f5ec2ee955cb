#!/usr/bin/env bash
# Puts hnswlib's headers into build/third_party/hnswlib/include/hnswlib.
#
# They come from the npm package of its Node binding, which carries them as they are; the archive is checked by SHA-256 before
# anything of it is unpacked, and no script of it is run. The folder is installed by a rename, so that an interrupted run
# leaves nothing half written. Quick when it is there already. With HNSWLIB_ROOT set, that folder (include/hnswlib/hnswlib.h and
# what it includes) is used and nothing is fetched.
set -euo pipefail
export LC_ALL=C

readonly package='hnswlib-node@3.0.0'
readonly archive_sha256=4a8074485e5abe659d23e9998d97a00226db056ca466ada6eedbc512a4c4df01

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
third_party_dir=${THIRD_PARTY_DIR:-$source_dir/build/third_party}
target_dir=$third_party_dir/hnswlib

fail() {
  printf 'hnswlib.sh: %s\n' "$*" >&2
  exit 1
}

if [ -n "${HNSWLIB_ROOT:-}" ]; then
  [ -r "$HNSWLIB_ROOT/include/hnswlib/hnswalg.h" ] || fail "HNSWLIB_ROOT=$HNSWLIB_ROOT has no include/hnswlib/hnswalg.h"
  exit 0
fi

readonly stamp="$package $archive_sha256"
is_installed() { [ "$(cat "$target_dir/stamp" 2>/dev/null)" = "$stamp" ]; }
if is_installed; then exit 0; fi

command -v npm >/dev/null || fail "npm is not installed; run 'make setup'"
mkdir -p "$third_party_dir"
exec 9>"$third_party_dir/hnswlib.lock"
flock 9
if is_installed; then exit 0; fi # another run did it while this one waited

work_dir=$(mktemp -d "$third_party_dir/fetch.XXXXXX")
trap 'rm -rf "$work_dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "Fetching hnswlib's headers …"
# npm prints the name of the archive; the package itself is not installed.
archive=$(cd "$work_dir" && npm pack --loglevel=error --ignore-scripts "$package" | tail -n 1) \
  || fail "npm could not fetch $package; set HNSWLIB_ROOT to use your own headers"
actual=$(sha256sum "$work_dir/$archive" | cut -d' ' -f1)
[ "$actual" = "$archive_sha256" ] || fail "$package has SHA-256 $actual, expected $archive_sha256: not installed"

mkdir -p "$work_dir/hnswlib/include"
tar -xzf "$work_dir/$archive" -C "$work_dir/hnswlib/include" --strip-components=2 package/src/hnswlib
mv "$work_dir/hnswlib/include/hnswlib/LICENSE" "$work_dir/hnswlib/LICENSE"
printf '%s\n' "$stamp" >"$work_dir/hnswlib/stamp"
chmod 755 "$work_dir/hnswlib"
rm -rf "$target_dir"
mv "$work_dir/hnswlib" "$target_dir"
echo "hnswlib's headers are in ${target_dir#"$source_dir"/}"
