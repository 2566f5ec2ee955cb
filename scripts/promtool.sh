#!/usr/bin/env bash
# Puts promtool into build/third_party/promtool/bin: what checks the rules of deploy/prometheus.
#
# It comes from Debian's package of Prometheus, which is checked by SHA-256 and unpacked, not installed: that would start a
# server. Quick when it is there already. With PROMTOOL set, or a promtool in the path, that one is used and nothing is fetched.
set -euo pipefail
export LC_ALL=C

readonly version=2.42.0+ds-5+deb12u1

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
third_party_dir=${THIRD_PARTY_DIR:-$source_dir/build/third_party}
target_dir=$third_party_dir/promtool

fail() {
  printf 'promtool.sh: %s\n' "$*" >&2
  exit 1
}

if [ -n "${PROMTOOL:-}" ]; then
  [ -x "$PROMTOOL" ] || fail "PROMTOOL=$PROMTOOL is no program"
  exit 0
fi
if command -v promtool >/dev/null; then exit 0; fi

[ "$(dpkg --print-architecture)" = amd64 ] || fail "no package is pinned for this machine; install promtool, or set PROMTOOL"
readonly archive_sha256=81d59a24fce84f7fbe97a45a4f2914b6a5881b5cd1db2a6a0e129e515e1a5f55
readonly stamp="$version $archive_sha256"
is_installed() { [ -x "$target_dir/bin/promtool" ] && [ "$(cat "$target_dir/stamp" 2>/dev/null)" = "$stamp" ]; }
if is_installed; then exit 0; fi

mkdir -p "$third_party_dir"
exec 9>"$third_party_dir/promtool.lock"
flock 9
if is_installed; then exit 0; fi # another run did it while this one waited

work_dir=$(mktemp -d "$third_party_dir/fetch.XXXXXX")
trap 'rm -rf "$work_dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "Fetching promtool …"
(cd "$work_dir" && apt-get -q download "prometheus=$version" >/dev/null 2>"$work_dir/log") \
  || fail "apt-get could not fetch prometheus $version: $(cat "$work_dir/log"); set PROMTOOL to use your own"
archive=$(find "$work_dir" -name 'prometheus_*.deb')
actual=$(sha256sum "$archive" | cut -d' ' -f1)
[ "$actual" = "$archive_sha256" ] || fail "prometheus $version has SHA-256 $actual, expected $archive_sha256: not unpacked"

mkdir -p "$work_dir/promtool/bin"
dpkg-deb --fsys-tarfile "$archive" | tar -x -C "$work_dir/promtool/bin" --strip-components=3 ./usr/bin/promtool
"$work_dir/promtool/bin/promtool" --version >/dev/null 2>&1 || fail "the unpacked promtool does not run"
printf '%s\n' "$stamp" >"$work_dir/promtool/stamp"
rm -rf "$target_dir"
mv "$work_dir/promtool" "$target_dir"
echo "promtool is in ${target_dir#"$source_dir"/}/bin"
