#!/usr/bin/env bash
# Puts the protocol files of Milvus' gRPC interface into build/third_party/milvus_proto/*.proto.
#
# They come from the npm package of Milvus' Node client, whose archive is checked by SHA-256 before anything of it is
# unpacked; the folder is installed by a rename, so that an interrupted run leaves nothing half written. Quick when it is
# there already. With MILVUS_PROTO_ROOT set, that folder (milvus.proto and what it imports) is used and nothing is fetched.
set -euo pipefail
export LC_ALL=C

readonly package='@zilliz/milvus2-sdk-node@2.4.9'
readonly archive_sha256=9f07749c594743395c0a4ee532687616ed0bbf995d0954c367685b6c8c12e1ab
readonly files='common.proto schema.proto rg.proto feder.proto msg.proto milvus.proto'

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
third_party_dir=${THIRD_PARTY_DIR:-$source_dir/build/third_party}
target_dir=$third_party_dir/milvus_proto

fail() {
  printf 'milvus_proto.sh: %s\n' "$*" >&2
  exit 1
}

if [ -n "${MILVUS_PROTO_ROOT:-}" ]; then
  for file in $files; do
    [ -r "$MILVUS_PROTO_ROOT/$file" ] || fail "MILVUS_PROTO_ROOT=$MILVUS_PROTO_ROOT has no $file"
  done
  exit 0
fi

readonly stamp="$package $archive_sha256"
is_installed() { [ "$(cat "$target_dir/stamp" 2>/dev/null)" = "$stamp" ]; }
if is_installed; then exit 0; fi

command -v npm >/dev/null || fail "npm is not installed; run 'make setup'"
mkdir -p "$third_party_dir"
exec 9>"$third_party_dir/milvus_proto.lock"
flock 9
if is_installed; then exit 0; fi # another run did it while this one waited

work_dir=$(mktemp -d "$third_party_dir/fetch.XXXXXX")
trap 'rm -rf "$work_dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

echo "Fetching Milvus' protocol files …"
# npm prints the name of the archive; the package itself is not installed.
archive=$(cd "$work_dir" && npm pack --loglevel=error --ignore-scripts "$package" | tail -n 1) \
  || fail "npm could not fetch $package; set MILVUS_PROTO_ROOT to use your own files"
actual=$(sha256sum "$work_dir/$archive" | cut -d' ' -f1)
[ "$actual" = "$archive_sha256" ] || fail "$package has SHA-256 $actual, expected $archive_sha256: not installed"

mkdir "$work_dir/proto"
for file in $files; do
  tar -xzf "$work_dir/$archive" -C "$work_dir/proto" --strip-components=4 "package/dist/proto/proto/$file"
done
printf '%s\n' "$stamp" >"$work_dir/proto/stamp"
chmod 755 "$work_dir/proto"
rm -rf "$target_dir"
mv "$work_dir/proto" "$target_dir"
echo "Milvus' protocol files are in ${target_dir#"$source_dir"/}"
