#!/usr/bin/env bash
# Puts the Kafka client library, librdkafka, into build/third_party/librdkafka/{include,lib}: as a static library, built
# from the source that an npm package carries (about one and a half minutes of one core, once).
#
# Debian 12's own is too old: below 2.6.1 it cannot log in by SCRAM to a broker of today. The archive is checked by SHA-256
# before it is unpacked, and installed by renames, so that an interrupted run leaves nothing half written. Quick when it is
# there already. Where pkg-config finds a system librdkafka that is new enough, or LIBRDKAFKA_ROOT names a folder
# (include/librdkafka/rdkafka.h, lib/librdkafka.a or .so), that is used and nothing is fetched.
set -euo pipefail
export LC_ALL=C

readonly package=@confluentinc/kafka-javascript@1.10.1 version=2.15.1 oldest=2.6.1
readonly archive_sha256=ada7d703bb1d3237e2292bfabf438d663b6160c9f1ac2a2406b5dc4257c81b66

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
third_party_dir=${THIRD_PARTY_DIR:-$source_dir/build/third_party}
target_dir=$third_party_dir/librdkafka

fail() {
  printf 'librdkafka.sh: %s\n' "$*" >&2
  exit 1
}

if [ -n "${LIBRDKAFKA_ROOT:-}" ]; then
  [ -r "$LIBRDKAFKA_ROOT/include/librdkafka/rdkafka.h" ] || fail "LIBRDKAFKA_ROOT=$LIBRDKAFKA_ROOT has no include/librdkafka/rdkafka.h"
  exit 0
fi
if command -v pkg-config >/dev/null && pkg-config --atleast-version=$oldest rdkafka 2>/dev/null; then exit 0; fi

stamp="$version $(uname -m) $archive_sha256"
is_installed() {
  [ -f "$target_dir/lib/librdkafka.a" ] && [ -f "$target_dir/include/librdkafka/rdkafka.h" ] \
    && [ "$(cat "$target_dir/stamp" 2>/dev/null)" = "$stamp" ]
}
if is_installed; then exit 0; fi

command -v npm >/dev/null || fail "npm is not installed; run 'make setup'"
mkdir -p "$third_party_dir"
exec 9>"$third_party_dir/librdkafka.lock"
flock 9
if is_installed; then exit 0; fi # another run did it while this one waited

work_dir=$(mktemp -d "$third_party_dir/build.XXXXXX")
trap 'rm -rf "$work_dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "Building librdkafka $version (once, about one and a half minutes) …"
# The package is not installed, only its archive is fetched: no script of it is run. npm prints the archive's name.
archive=$(cd "$work_dir" && npm pack "$package" --ignore-scripts --loglevel=error | tail -n 1) \
  || fail "npm could not fetch $package; set LIBRDKAFKA_ROOT to use your own librdkafka"
actual=$(sha256sum "$work_dir/$archive" | cut -d' ' -f1)
[ "$actual" = "$archive_sha256" ] || fail "$package has SHA-256 $actual, expected $archive_sha256: not built"
mkdir "$work_dir/source"
tar -xzf "$work_dir/$archive" -C "$work_dir/source" --strip-components=3 package/deps/librdkafka

# Without Kerberos and OAuth, which would ask for two more libraries; Snappy and LZ4 are in the source itself. Only the C
# library: its C++ wrapper is not used.
log=$work_dir/build.log
(
  cd "$work_dir/source"
  ./configure --prefix="$target_dir" --disable-gssapi --disable-curl --disable-lz4-ext --enable-ssl --enable-zlib --enable-zstd \
    --disable-syslog --disable-debug-symbols --CFLAGS=-O2
  make -j"${JOBS:-$(nproc)}" -C src librdkafka.a
) >"$log" 2>&1 9>&- || {
  tail -n 40 "$log" >&2
  fail "librdkafka $version did not build"
}

mkdir -p "$target_dir/include/librdkafka" "$target_dir/lib"
rm -f "$target_dir/stamp"
mv -f "$work_dir/source/src/rdkafka.h" "$work_dir/source/src/rdkafka_mock.h" "$target_dir/include/librdkafka/"
mv -f "$work_dir/source/src/librdkafka.a" "$target_dir/lib/librdkafka.a"
cp "$work_dir/source/LICENSES.txt" "$target_dir/"
printf '%s\n' "$stamp" >"$target_dir/stamp"
echo "librdkafka $version is in ${target_dir#"$source_dir"/}"
