#!/usr/bin/env bash
# Shows that the README's two commands work on a fresh Debian 12: builds a minimal root with debootstrap,
# clones the repository into it, and runs `make test` and `make demo` there, with the demo's questions asked.
#
# usage: tests/slow/bare_machine.sh [--working-tree] [--only setup] [--keep]
#   --working-tree  take the files as they are, not the last commit
#   --only setup    stop after the packages and third-party files are installed
#   --keep          leave the root behind for a look (its path is printed)
#
# Needs root, debootstrap and git, 8 GB in TMPDIR, and the machine's own way to reach a Debian mirror, npm, Maven
# and PyPI: apt's sources and settings, extra certificates, and the clients' settings are copied from this machine.
# The data for the tests is taken from SCALESTYLE_SHARED (default: ../shared beside the repository), read only.
# All processes run in their own process and mount namespace: when it ends, however it ends, so do they.
set -euo pipefail
export LC_ALL=C

source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
shared_dir=${SCALESTYLE_SHARED:-$source_dir/../shared}
readonly suite=bookworm place=/srv/scalestyle
take=commit only=all keep=no

fail() {
  printf 'bare_machine: %s\n' "$*" >&2
  exit 1
}

timed() { # name, command…: runs it and prints the seconds it took
  local name=$1 started=$SECONDS
  shift
  "$@" || fail "$name failed"
  printf 'bare_machine: %-34s %5d s\n' "$name" $((SECONDS - started))
}

# --- outside the root -------------------------------------------------------------------------------------------

# Prints apt's sources of this Debian release, and no others: a bare machine has only Debian's own.
debian_sources() {
  local file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    if [ -f "$file" ] && grep -Eq "^(deb .*debian.* $suite|Suites:.*\b$suite\b)" "$file"; then printf '%s\n' "$file"; fi
  done
}

mirror() {
  local -a sources
  mapfile -t sources < <(debian_sources)
  [ "${#sources[@]}" -gt 0 ] || fail "no apt source of Debian $suite on this machine"
  sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb (\[[^]]*\] )?([^ ]+) .*/\2/p' "${sources[@]}" | head -n 1
}

make_root() {
  debootstrap --variant=minbase "$suite" "$root" "$(mirror)" >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    return 1
  }
}

# What lets the machine's clients reach their registries; nothing else of the machine goes in.
copy_network_settings() {
  local file
  rm -f "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/*
  for file in $(debian_sources); do install -D -m 644 "$file" "$root$file"; done
  for file in /etc/apt/apt.conf /etc/apt/apt.conf.d/*; do
    if grep -qsE '^ *Acquire::(http|https|Check|Retries)' "$file"; then install -D -m 644 "$file" "$root$file"; fi
  done
  for file in /etc/apt/auth.conf.d/* /usr/local/share/ca-certificates/*.crt "$HOME/.npmrc" "$HOME/.m2/settings.xml" /etc/pip.conf; do
    [ ! -f "$file" ] || install -D -m 600 "$file" "$root${file/#$HOME//root}"
  done
  chmod 644 "$root"/usr/local/share/ca-certificates/*.crt 2>/dev/null || true
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
}

copy_repository() {
  mkdir -p "$root$place"
  if [ "$take" = commit ]; then
    git clone -q --no-hardlinks "$source_dir" "$root$place/main"
  else
    mkdir "$root$place/main"
    (cd "$source_dir" && git ls-files -z --cached --others --exclude-standard \
      | tar --null --ignore-failed-read -T - -cf - 2>/dev/null) | tar -xf - -C "$root$place/main"
  fi
}

mount_all() {
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount --rbind /dev "$root/dev"
  if [ -d "$shared_dir" ]; then
    mkdir -p "$root$place/shared"
    mount --bind -o ro "$shared_dir" "$root$place/shared"
  fi
}

in_root() { # a shell command, run in the clone with a clean environment
  local -a settings=()
  local name
  for name in $(compgen -e | grep -Ei '^((https?|no|all)_proxy|npm_config_.*|pip_(index_url|extra_index_url|trusted_host)|(ssl|node|curl|nix).*cert.*|curl_ca_bundle|maven_opts|java_tool_options)$'); do
    settings+=("$name=${!name}")
  done
  chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 \
    CI="${CI:-}" "${settings[@]}" /bin/bash -euo pipefail -c "cd $place/main && $1" </dev/null
}

inside_namespaces() {
  mount --make-rprivate /
  mount_all
  # A clone needs git and its reader needs make: what the README tells to have before the first command.
  timed "apt-get: make" in_root "apt-get -qq update && apt-get -qq -y install --no-install-recommends make >/dev/null 2>&1"
  timed "make setup" in_root "make setup"
  timed "make setup, again" in_root "make setup"
  [ "$only" = all ] || return 0
  timed "make test" in_root "make test"
  timed "make test, again" in_root "make test"
  timed "make demo, its questions, ^C" in_root "DEMO_FOLDER=/tmp/demo tests/slow/demo.sh"
  timed "make demo, again" in_root "DEMO_FOLDER=/tmp/demo tests/slow/demo.sh"
}

remove_root() {
  if [ "$keep" = yes ]; then
    echo "bare_machine: the root is left in $root"
  else
    rm -rf --one-file-system "$root" "$root.log"
  fi
}

while [ $# -gt 0 ]; do
  case $1 in
    --working-tree) take=tree ;;
    --only) shift; only=${1:-} ;;
    --keep) keep=yes ;;
    --inside) shift; root=$1 ;; # set by this script itself
    *) fail "unknown argument $1; see the head of $0" ;;
  esac
  shift
done
case $only in all | setup) ;; *) fail "--only knows setup" ;; esac

if [ -n "${root:-}" ]; then
  inside_namespaces
  exit 0
fi

[ "$(id -u)" = 0 ] || fail "needs root, for debootstrap and chroot"
for tool in debootstrap git unshare chroot; do command -v "$tool" >/dev/null || fail "$tool is not installed"; done

root=$(mktemp -d "${TMPDIR:-/tmp}/scalestyle-bare.XXXXXX")
chmod 755 "$root"
trap remove_root EXIT
trap 'echo "bare_machine: line $LINENO failed: $BASH_COMMAND" >&2' ERR
trap 'exit 130' INT
trap 'exit 143' TERM
timed "debootstrap" make_root
copy_network_settings
copy_repository
# --kill-child: if this script is killed, everything inside dies with it, and its mounts go with the namespace.
unshare --mount --pid --fork --kill-child "$0" --only "$only" --inside "$root"
echo "bare_machine: passed"
