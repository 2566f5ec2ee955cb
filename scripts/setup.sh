#!/usr/bin/env bash
# Installs the missing packages of packages.txt, then what Debian lacks or has too old: DuckDB's library, Milvus' protocol files,
# hnswlib's headers, the Kafka client, promtool.
# As root, or where sudo asks no password, it installs; otherwise it names what is missing and exits 1.
# When nothing is missing it only asks dpkg, and takes a moment.
set -euo pipefail
export LC_ALL=C

readonly apt_lock_wait_seconds=600
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
package_list=${PACKAGE_LIST:-$source_dir/packages.txt}

command -v dpkg-query >/dev/null || {
  echo "setup: this machine has no dpkg. Install the equivalents of ${package_list#"$source_dir"/}, then run scripts/duckdb.sh and scripts/librdkafka.sh." >&2
  exit 1
}

missing_packages() {
  local installed package command
  installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p')
  while read -r package command; do
    case $package in '' | '#'*) continue ;; esac
    if [ -n "$command" ] && command -v "$command" >/dev/null; then continue; fi
    grep -qxF -- "$package" <<<"$installed" || printf '%s\n' "$package"
  done <"$package_list"
}

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# apt-get update does not wait for the lock of the package lists by itself.
update_package_lists() { # the apt-get command
  local deadline=$((SECONDS + apt_lock_wait_seconds))
  until "$@" update >"$log" 2>&1; do
    if ! grep -Eq 'Could not get lock|Unable to lock' "$log" || [ "$SECONDS" -ge "$deadline" ]; then
      # One unreachable source is no reason to stop: the installation tells whether the packages are to be had.
      cat "$log" >&2
      echo "setup: apt-get update failed; trying the installation all the same" >&2
      return
    fi
    sleep 2
  done
}

install_packages() { # the command that gives root's rights (may be empty), then the packages
  local -a apt=()
  [ -z "$1" ] || read -ra apt <<<"$1"
  shift
  apt+=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o "DPkg::Lock::Timeout=$apt_lock_wait_seconds")
  echo "setup: installing (about a minute) $*"
  update_package_lists "${apt[@]}"
  "${apt[@]}" install --no-install-recommends "$@" >"$log" 2>&1 || {
    cat "$log" >&2
    echo "setup: apt-get install failed" >&2
    exit 1
  }
}

mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -gt 0 ]; then
  if [ "$(id -u)" = 0 ]; then
    install_packages "" "${missing[@]}"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    install_packages "sudo -n" "${missing[@]}"
  else
    {
      echo "setup: these packages are missing, and installing them needs root:"
      printf '  %s\n' "${missing[@]}"
      echo "Run as root: apt-get install --no-install-recommends ${missing[*]}"
    } >&2
    exit 1
  fi
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" = 0 ] || {
    echo "setup: still missing after the installation: ${missing[*]}" >&2
    exit 1
  }
fi

"$source_dir/scripts/duckdb.sh"
"$source_dir/scripts/milvus_proto.sh"
"$source_dir/scripts/hnswlib.sh"
"$source_dir/scripts/librdkafka.sh"
# For one test only, which is skipped without it (a failure on CI).
"$source_dir/scripts/promtool.sh" || echo "going on without promtool: the rules of deploy/prometheus are not tested"
